namespace OpenShell.Vm.Files;

/// <summary>What the system says of a file.</summary>
/// <param name="Mode">Kind and permissions.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">Nanoseconds since the Unix epoch.</param>
internal readonly record struct FileFacts(int Mode, long Size, long Modified)
{
    /// <summary>sizeof(struct statx).</summary>
    internal const int StructureSize = 256;

    internal bool IsFile => (Mode & 0xF000) == 0x8000;

    internal bool IsFolder => (Mode & 0xF000) == 0x4000;

    internal bool IsLink => (Mode & 0xF000) == 0xA000;

    /// <summary>What is passed on: not set-user-id and its like, which mean something else where another user owns the file.</summary>
    internal int Permissions => Mode & 0x1FF;

    /// <summary>struct statx (https://man7.org/linux/man-pages/man2/statx.2.html): stx_mode at 28, stx_size at 40, stx_mtime at 112 (seconds 8 bytes, nanoseconds 4).</summary>
    internal static unsafe FileFacts Read(byte* statx) => new(*(ushort*)(statx + 28), *(long*)(statx + 40), unchecked((*(long*)(statx + 112) * 1_000_000_000) + *(uint*)(statx + 120)));
}

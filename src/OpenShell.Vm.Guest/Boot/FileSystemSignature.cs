using System.Buffers.Binary;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Tells a file system by its superblock.</summary>
internal static class FileSystemSignature
{
    /// <summary>How much of a device is looked at: up to the end of ext4's superblock.</summary>
    public const int Reach = 2048;

    /// <summary>The kernel's name of the file system that begins a device, or <see langword="null"/> when it is none of those that can be a root.</summary>
    /// <param name="start">The first bytes of the device.</param>
    public static string? Identify(ReadOnlySpan<byte> start)
    {
        // https://docs.kernel.org/filesystems/squashfs.html: "hsqs" at 0
        if (start.Length >= 4 && start[..4].SequenceEqual("hsqs"u8))
            return "squashfs";
        if (start.Length < 2048)
            return null;
        // fs/erofs/erofs_fs.h: EROFS_SUPER_MAGIC_V1 at 1024; fs/ext4/ext4.h: s_magic at 1024 + 56
        if (BinaryPrimitives.ReadUInt32LittleEndian(start[1024..]) == 0xE0F5E1E2)
            return "erofs";
        return BinaryPrimitives.ReadUInt16LittleEndian(start[(1024 + 56)..]) == 0xEF53 ? "ext4" : null;
    }

    /// <summary>Reads the start of a device or file.</summary>
    public static byte[] ReadStart(string device)
    {
        using var file = File.OpenHandle(device);
        var start = new byte[Reach];
        var length = 0;
        while (length < start.Length && RandomAccess.Read(file, start.AsSpan(length), length) is > 0 and var read)
            length += read;
        return start[..length];
    }
}

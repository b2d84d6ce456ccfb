using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Disks;

/// <summary>Copies a file and leaves out what is zeros: those are holes of the copy, which take no space and no time to read.</summary>
internal static class SparseCopy
{
    // A page of memory, and what a file system allocates.
    private const int Block = 4096;

    private const int Chunk = 1 << 20;

    /// <summary>Makes it; there must be nothing at that path.</summary>
    internal static async Task MakeAsync(string from, string to, CancellationToken cancellationToken)
    {
        using var source = File.OpenHandle(from, options: FileOptions.SequentialScan);
        await using var target = new FileStream(to, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly, BufferSize = 0 });
        target.SetLength(RandomAccess.GetLength(source));
        var buffer = new byte[Chunk];
        for (long at = 0; await RandomAccess.ReadAsync(source, buffer, at, cancellationToken).ConfigureAwait(false) is > 0 and var read; at += read)
        {
            foreach (var (start, length) in Data(buffer, read))
                await RandomAccess.WriteAsync(target.SafeFileHandle, buffer.AsMemory(start, length), at + start, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The runs of blocks that are not all zeros.</summary>
    internal static IEnumerable<(int Start, int Length)> Data(byte[] buffer, int length)
    {
        var start = -1;
        for (var at = 0; at < length; at += Block)
        {
            var isData = buffer.AsSpan(at, Math.Min(Block, length - at)).ContainsAnyExcept((byte)0);
            if (isData && start < 0)
                start = at;
            if (!isData && start >= 0)
            {
                yield return (start, at - start);
                start = -1;
            }
        }

        if (start >= 0)
            yield return (start, length - start);
    }
}

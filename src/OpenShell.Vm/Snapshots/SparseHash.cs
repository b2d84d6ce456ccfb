using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

/// <summary>
/// The hash of a file that is mostly zeros, such as a machine's memory: SHA-256 over its size and over the number and content of each block that is not all zeros. What is a hole is not read. By content alone: two copies have the same,
/// whichever of their zeros are holes.
/// </summary>
internal static class SparseHash
{
    // A page of memory, and what a file system allocates.
    private const int Block = 4096;

    private const int Chunk = 1 << 20;

    /// <summary>Computes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="onBytes">Told of each part that is done, holes among them: in the end of as many bytes as the file has.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>64 hexadecimal digits.</returns>
    internal static async Task<string> OfAsync(string path, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var size = RandomAccess.GetLength(file);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Number(size));
        var buffer = new byte[Chunk];
        for (long at = 0; at < size;)
        {
            var data = Math.Min(Libc.NextData(file, at) / Chunk * Chunk, size);
            if (data > at)
            {
                onBytes?.Invoke(data - at);
                at = data;
                continue;
            }

            var read = 0;
            while (read < buffer.Length && await RandomAccess.ReadAsync(file, buffer.AsMemory(read), at + read, cancellationToken).ConfigureAwait(false) is > 0 and var more)
                read += more;
            if (read == 0)
                break;
            Append(hash, at, buffer.AsSpan(0, read));
            onBytes?.Invoke(read);
            at += read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, long at, ReadOnlySpan<byte> bytes)
    {
        for (var start = 0; start < bytes.Length; start += Block)
        {
            var block = bytes[start..Math.Min(start + Block, bytes.Length)];
            if (!block.ContainsAnyExcept((byte)0))
                continue;
            hash.AppendData(Number((at + start) / Block));
            hash.AppendData(block);
        }
    }

    private static byte[] Number(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OpenShell.Vm.Files;

/// <summary>SHA-256 over a file as it is sent: offsets and data in their order, then the length. Holes cost nothing.</summary>
internal sealed class FileDigest : IDisposable
{
    /// <summary>Bytes of TreeFileEnd: the length and the digest.</summary>
    internal const int EndSize = sizeof(long) + SHA256.HashSizeInBytes;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Takes a payload of TreeData.</summary>
    internal void Add(ReadOnlySpan<byte> offsetAndData) => _hash.AppendData(offsetAndData);

    /// <summary>The payload of TreeFileEnd; the next file may begin.</summary>
    internal byte[] End(long length)
    {
        var end = new byte[EndSize];
        BinaryPrimitives.WriteInt64LittleEndian(end, length);
        _hash.AppendData(end.AsSpan(0, sizeof(long)));
        _hash.GetHashAndReset(end.AsSpan(sizeof(long)));
        return end;
    }

    public void Dispose() => _hash.Dispose();
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files.Sending;

/// <summary>Writes a tree to a stream, as PROTOCOL.md says. Who uses it keeps the order.</summary>
public sealed class TreeWriter(MuxStream stream, IProgress<TreeProgress>? progress = null) : IDisposable
{
    /// <summary>Bytes of data that one message holds beside its offset.</summary>
    public const int MaxData = ProtocolLimits.MaxPayload - sizeof(long);

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.MaxPayload);
    private readonly FileDigest _digest = new();
    private string _path = "";
    private long _entries;
    private long _bytes;

    /// <summary>Where the next data goes before <see cref="DataAsync"/>.</summary>
    public Memory<byte> Data => _buffer.AsMemory(sizeof(long), MaxData);

    /// <summary>Begins an entry.</summary>
    public ValueTask EntryAsync(TreeEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _path = entry.Path;
        _entries++;
        Tell();
        return stream.WriteAsync(MessageKinds.TreeEntry, JsonSerializer.SerializeToUtf8Bytes(entry, ProtocolJson.Default.TreeEntry), cancellationToken);
    }

    /// <summary>Sends the first <paramref name="length"/> bytes of <see cref="Data"/> as what is at an offset of the file begun last.</summary>
    public async ValueTask DataAsync(long offset, int length, CancellationToken cancellationToken)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer, offset);
        var payload = _buffer.AsMemory(0, sizeof(long) + length);
        _digest.Add(payload.Span);
        await stream.WriteAsync(MessageKinds.TreeData, payload, cancellationToken).ConfigureAwait(false);
        _bytes += length;
        Tell();
    }

    /// <summary>Ends the file begun last.</summary>
    public ValueTask FileEndAsync(long length, CancellationToken cancellationToken) => stream.WriteAsync(MessageKinds.TreeFileEnd, _digest.End(length), cancellationToken);

    /// <summary>Ends the tree and the stream.</summary>
    public async ValueTask<TreeSummary> EndAsync(long leftOut, CancellationToken cancellationToken)
    {
        var summary = new TreeSummary(_entries, _bytes, leftOut);
        await stream.WriteAsync(MessageKinds.TreeEnd, JsonSerializer.SerializeToUtf8Bytes(summary, ProtocolJson.Default.TreeSummary), cancellationToken).ConfigureAwait(false);
        await stream.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        return summary;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _digest.Dispose();
    }

    private void Tell() => progress?.Report(new TreeProgress(_entries, _bytes, _path));
}

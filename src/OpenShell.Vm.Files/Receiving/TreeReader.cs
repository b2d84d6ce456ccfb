using System.Buffers.Binary;
using System.Text.Json;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files.Receiving;

/// <summary>
/// Reads a tree from a stream and hands it to a sink, after holding it to the rules of PROTOCOL.md and to limits. The sender is not trusted: whatever it sends, a sink
/// sees only names that stay in their folder, in an order that makes sense, and no more than it was told to expect. Its memory is bounded by the depth of the tree.
/// </summary>
public sealed class TreeReader : IDisposable
{
    private readonly MuxStream _stream;
    private readonly ITreeSink _sink;
    private readonly TreeLimits _limits;
    private readonly IProgress<TreeProgress>? _progress;

    // The names of the folders that are open, below the root.
    private readonly List<string> _folders = [];
    private readonly FileDigest _digest = new();
    private TreeEntryKind? _root;
    private string _path = "";
    private bool _inFile;
    private long _position;
    private long _entries;
    private long _bytes;
    private long _length;

    private TreeReader(MuxStream stream, ITreeSink sink, TreeLimits limits, IProgress<TreeProgress>? progress) =>
        (_stream, _sink, _limits, _progress) = (stream, sink, limits, progress);

    /// <summary>Reads it to its end; the sink has then committed.</summary>
    /// <returns>What came, counted here. What was left out is the sender's word.</returns>
    /// <exception cref="MuxStreamException">The sender broke a rule or a limit, gave up, or what it sent could not be written.</exception>
    public static async Task<TreeSummary> ReceiveAsync(MuxStream stream, ITreeSink sink, TreeLimits limits, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(sink);
        using var reader = new TreeReader(stream, sink, limits, progress);
        return await reader.ReceiveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _digest.Dispose();

    private async Task<TreeSummary> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            using (message)
            {
                switch (message.Kind)
                {
                    case MessageKinds.TreeEntry:
                        await TakeEntryAsync(Parse(message.Payload, ProtocolJson.Default.TreeEntry), cancellationToken).ConfigureAwait(false);
                        break;
                    case MessageKinds.TreeData:
                        await TakeDataAsync(message.Payload, cancellationToken).ConfigureAwait(false);
                        break;
                    case MessageKinds.TreeFileEnd:
                        await TakeFileEndAsync(message.Payload, cancellationToken).ConfigureAwait(false);
                        break;
                    case MessageKinds.TreeEnd:
                        return await TakeEndAsync(Parse(message.Payload, ProtocolJson.Default.TreeSummary), cancellationToken).ConfigureAwait(false);
                    default:
                        throw TreeFailure.Refused($"a message of kind {message.Kind} was sent");
                }
            }
        }

        throw new MuxStreamException(ProtocolCode.Failed, "the other side ended before all was sent");
    }

    private async ValueTask TakeEntryAsync(TreeEntry entry, CancellationToken cancellationToken)
    {
        if (_inFile)
            throw TreeFailure.Refused($"'{_path}' was not ended before '{entry.Path}'");
        if (++_entries > _limits.MaxEntries)
            throw TreeFailure.TooMuch($"there are more than {_limits.MaxEntries} files, folders and links");
        var parts = EntryNames.Split(entry.Path);
        if (_root is null != (parts.Length == 0))
            throw TreeFailure.Refused(_root is null ? "the root did not come first" : "a second root was sent");
        if (_root is not null and not TreeEntryKind.Folder)
            throw TreeFailure.Refused($"'{entry.Path}' was sent below what is no folder");
        _root ??= entry.Kind;
        _path = entry.Path;
        var name = parts.Length == 0 ? null : parts[^1];
        await LeaveUntilAsync(parts, cancellationToken).ConfigureAwait(false);
        switch (entry.Kind)
        {
            case TreeEntryKind.Folder:
                await _sink.EnterFolderAsync(name, entry, cancellationToken).ConfigureAwait(false);
                if (name is not null)
                    _folders.Add(name);
                break;
            case TreeEntryKind.Link:
                EntryNames.Target(entry);
                await _sink.LinkAsync(name, entry, cancellationToken).ConfigureAwait(false);
                break;
            case TreeEntryKind.File:
                if (entry.Size < 0)
                    throw TreeFailure.Refused($"'{entry.Path}' was sent with {entry.Size} bytes");
                await _sink.BeginFileAsync(name, entry, cancellationToken).ConfigureAwait(false);
                _inFile = true;
                _position = 0;
                break;
            default:
                throw TreeFailure.Refused($"'{entry.Path}' was sent as something that is not sent");
        }

        Tell();
    }

    /// <summary>Leaves folders until the one that an entry is in is the last; it must be open.</summary>
    private async ValueTask LeaveUntilAsync(string[] parts, CancellationToken cancellationToken)
    {
        var common = 0;
        while (common < _folders.Count && common < parts.Length - 1 && _folders[common] == parts[common])
            common++;
        if (common < parts.Length - 1)
            throw TreeFailure.Refused($"'{_path}' was sent outside of its folder");
        while (_folders.Count > common)
        {
            _folders.RemoveAt(_folders.Count - 1);
            await _sink.LeaveFolderAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeDataAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (!_inFile || payload.Length <= sizeof(long))
            throw TreeFailure.Refused("data without a file, or without an offset, was sent");
        var offset = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
        var data = payload[sizeof(long)..];
        if (offset < _position)
            throw TreeFailure.Refused($"data of '{_path}' was sent out of order");

        // Each from what is left, so that no sum can wrap around.
        if (offset > _limits.MaxLength - _length - data.Length)
            throw TooLong();
        if (data.Length > _limits.MaxBytes - _bytes)
            throw TreeFailure.TooMuch($"there are more than {_limits.MaxBytes} bytes, which is what there is room for");
        _digest.Add(payload.Span);
        await _sink.WriteAsync(offset, data, cancellationToken).ConfigureAwait(false);
        _position = offset + data.Length;
        _bytes += data.Length;
        Tell();
    }

    private async ValueTask TakeFileEndAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (!_inFile || payload.Length != FileDigest.EndSize)
            throw TreeFailure.Refused("the end of no file was sent");
        var length = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
        if (length < _position)
            throw TreeFailure.Refused($"'{_path}' was sent as shorter than its data");
        if (length > _limits.MaxLength - _length)
            throw TooLong();
        if (!_digest.End(length).AsSpan().SequenceEqual(payload.Span))
            throw new MuxStreamException(ProtocolCode.Failed, $"'{_path}' came damaged: its checksum does not fit");
        await _sink.EndFileAsync(length, cancellationToken).ConfigureAwait(false);
        _length += length;
        _inFile = false;
    }

    private async ValueTask<TreeSummary> TakeEndAsync(TreeSummary told, CancellationToken cancellationToken)
    {
        if (_root is null || _inFile)
            throw TreeFailure.Refused("the end was sent before a file's, or before anything");
        if (told.Entries != _entries || told.Bytes != _bytes)
            throw new MuxStreamException(ProtocolCode.Failed, $"{_entries} entries with {_bytes} bytes came, of {told.Entries} with {told.Bytes}");
        await LeaveUntilAsync([""], cancellationToken).ConfigureAwait(false);
        if (_root == TreeEntryKind.Folder)
            await _sink.LeaveFolderAsync(cancellationToken).ConfigureAwait(false);
        await _sink.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new TreeSummary(_entries, _bytes, Math.Max(0, told.LeftOut));
    }

    private MuxStreamException TooLong() =>
        TreeFailure.TooMuch($"'{_path}' would make more than {_limits.MaxLength} bytes of length in all, holes included");

    private static T Parse<T>(ReadOnlyMemory<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, type) ?? throw TreeFailure.Refused("nothing was sent where an entry should be");
        }
        catch (JsonException e)
        {
            throw TreeFailure.Refused($"an entry was sent that cannot be read: {e.Message}");
        }
    }

    private void Tell() => _progress?.Report(new TreeProgress(_entries, _bytes, _path));
}

using System.Formats.Tar;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Files.Sending;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests.Tar;

/// <summary>Sends what is in a tar archive, in its order, as the contents of a folder.</summary>
public sealed class TarSource
{
    private readonly TreeWriter _writer;
    private List<string> _folders = [];
    private long _leftOut;

    private TarSource(TreeWriter writer) => _writer = writer;

    /// <summary>Sends all of it.</summary>
    /// <exception cref="FaultException">It is no archive, or has in it what cannot be sent.</exception>
    public static async Task<TreeSummary> SendAsync(Stream archive, MuxStream stream, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        using var writer = new TreeWriter(stream, progress);
        var source = new TarSource(writer);
        await using var blocks = new TarBlocks(archive);
        await using var tar = new TarReader(blocks, leaveOpen: true);
        await writer.EntryAsync(new TreeEntry { Path = "", Kind = TreeEntryKind.Folder }, cancellationToken).ConfigureAwait(false);
        try
        {
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                await source.SendAsync(entry, cancellationToken).ConfigureAwait(false);
            if (!blocks.IsEnd)
                throw new InvalidDataException("A header has no checksum");
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or EndOfStreamException or OverflowException or ArgumentOutOfRangeException)
        {
            throw Unfit($"it is no tar archive, or a damaged one: {e.Message.TrimEnd('.')}", "Give an archive as 'tar -cf -' makes it, not compressed.");
        }

        return await writer.EndAsync(source._leftOut, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var parts = Parts(entry.Name);
        if (parts.Length == 0 || entry.EntryType is TarEntryType.GlobalExtendedAttributes)
            return;
        await EnterAsync(parts, cancellationToken).ConfigureAwait(false);
        var described = new TreeEntry
        {
            Path = string.Join('/', parts),
            Kind = TreeEntryKind.File,
            Mode = (int)entry.Mode & 0x1FF,
            Modified = entry.ModificationTime.ToUnixTimeNanoseconds(),
        };
        switch (entry.EntryType)
        {
            case TarEntryType.Directory or TarEntryType.DirectoryList:
                await _writer.EntryAsync(described with { Kind = TreeEntryKind.Folder }, cancellationToken).ConfigureAwait(false);
                _folders = [.. parts];
                break;
            case TarEntryType.SymbolicLink:
                await _writer.EntryAsync(described with { Kind = TreeEntryKind.Link, Target = entry.LinkName }, cancellationToken).ConfigureAwait(false);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                await _writer.EntryAsync(described with { Size = entry.Length }, cancellationToken).ConfigureAwait(false);
                await SendDataAsync(entry.DataStream, cancellationToken).ConfigureAwait(false);
                break;
            case TarEntryType.HardLink:
                throw Unfit($"'{entry.Name}' is a hard link", "Make the archive with 'tar --hard-dereference', which stores the file again.");
            case TarEntryType.SparseFile:
                throw Unfit($"'{entry.Name}' is stored as a sparse file", "Make the archive without --sparse.");
            default:
                _leftOut++;
                break;
        }
    }

    /// <summary>Archives need not hold the folders of their files, nor keep an order; a tree does.</summary>
    private async ValueTask EnterAsync(string[] parts, CancellationToken cancellationToken)
    {
        var common = 0;
        while (common < _folders.Count && common < parts.Length - 1 && _folders[common] == parts[common])
            common++;
        for (var depth = common + 1; depth < parts.Length; depth++)
            await _writer.EntryAsync(new TreeEntry { Path = string.Join('/', parts.Take(depth)), Kind = TreeEntryKind.Folder }, cancellationToken).ConfigureAwait(false);
        _folders = [.. parts.Take(parts.Length - 1)];
    }

    private async Task SendDataAsync(Stream? data, CancellationToken cancellationToken)
    {
        long position = 0;
        while (data is not null && await data.ReadAtLeastAsync(_writer.Data, TreeWriter.MaxData, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            await _writer.DataAsync(position, count, cancellationToken).ConfigureAwait(false);
            position += count;
        }

        await _writer.FileEndAsync(position, cancellationToken).ConfigureAwait(false);
    }

    // "./a//b/" is a/b; what would lead out is refused here, before it is sent.
    private static string[] Parts(string name)
    {
        var parts = name.Split('/').Where(part => part is not ("" or ".")).ToArray();
        return !name.StartsWith('/') && Array.TrueForAll(parts, EntryNames.IsName) && parts.Length <= TreeLimits.MaxDepth
            ? parts
            : throw Unfit($"'{name}' would not be below the destination", "Make the archive of relative paths without '..'.");
    }

    private static FaultException Unfit(string why, string remedy) => new(new Fault { Code = "files.archive", What = $"The archive cannot be copied: {GuestFaults.Clean(why)}.", Remedy = remedy });
}

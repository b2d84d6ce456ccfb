using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Files.Native;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files.Sending;

/// <summary>
/// Sends a file, a link or a folder of this machine. Links are sent as links and never followed but where asked at the very top: also when somebody who shares the
/// folder changes it meanwhile, nothing from outside of it is read.
/// </summary>
public sealed class DiskSource
{
    private readonly TreeWriter _writer;
    private long _leftOut;

    private DiskSource(TreeWriter writer) => _writer = writer;

    /// <summary>Sends all of it, and ends the stream's messages.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="followLink">What a link at the end of the path leads to is meant.</param>
    /// <param name="stream">Where it goes.</param>
    /// <param name="progress">Told of each entry and message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MuxStreamException">It cannot be read (the code says why), or the stream was reset.</exception>
    public static async Task<TreeSummary> SendAsync(string path, bool followLink, MuxStream stream, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        using var writer = new TreeWriter(stream, progress);
        var source = new DiskSource(writer);
        await source.SendRootAsync(path, followLink, cancellationToken).ConfigureAwait(false);
        return await writer.EndAsync(source._leftOut, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendRootAsync(string path, bool follow, CancellationToken cancellationToken)
    {
        // Behind "link/" or "link/." the system follows the link itself.
        var facts = OpenFolder.Stat(path, follow) ?? throw new MuxStreamException(ProtocolCode.NotFound, $"{path}: there is no such file or folder");
        if (facts.IsLink)
        {
            await _writer.EntryAsync(Entry("", TreeEntryKind.Link, facts) with { Target = OpenFolder.ReadLinkOf(path) }, cancellationToken).ConfigureAwait(false);
        }
        else if (facts.IsFolder)
        {
            using var folder = OpenFolder.Open(path);
            await SendFolderAsync("", folder, 0, cancellationToken).ConfigureAwait(false);
        }
        else if (facts.IsFile)
        {
            using var file = OpenFolder.OpenFileOf(path, follow);
            await SendFileAsync("", file, path, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            throw new MuxStreamException(ProtocolCode.Denied, $"{path}: it is a device, a socket or a pipe");
        }
    }

    private async Task SendFolderAsync(string path, OpenFolder folder, int depth, CancellationToken cancellationToken)
    {
        if (depth > TreeLimits.MaxDepth)
            throw new MuxStreamException(ProtocolCode.Denied, $"{folder.Path}: there are more than {TreeLimits.MaxDepth} levels of folders");
        await _writer.EntryAsync(Entry(path, TreeEntryKind.Folder, folder.Facts), cancellationToken).ConfigureAwait(false);
        foreach (var name in folder.Names())
        {
            // Gone meanwhile: as if it had never been.
            if (folder.StatOf(name) is { } facts)
                await SendInnerAsync(path.Length == 0 ? name : $"{path}/{name}", folder, name, facts, depth, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendInnerAsync(string path, OpenFolder folder, string name, FileFacts facts, int depth, CancellationToken cancellationToken)
    {
        if (facts.IsLink)
        {
            await _writer.EntryAsync(Entry(path, TreeEntryKind.Link, facts) with { Target = folder.ReadLink(name) }, cancellationToken).ConfigureAwait(false);
        }
        else if (facts.IsFolder)
        {
            using var inner = folder.TryOpen(name);
            if (inner is not null)
                await SendFolderAsync(path, inner, depth + 1, cancellationToken).ConfigureAwait(false);
        }
        else if (facts.IsFile)
        {
            using var file = folder.OpenFile(name);
            await SendFileAsync(path, file, $"{folder.Path}/{name}", cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _leftOut++;
        }
    }

    private async Task SendFileAsync(string path, SafeFileHandle file, string name, CancellationToken cancellationToken)
    {
        var facts = OpenFolder.StatOf(file, name);
        await _writer.EntryAsync(Entry(path, TreeEntryKind.File, facts) with { Size = facts.Size }, cancellationToken).ConfigureAwait(false);

        // A file that grows while it is read is sent as long as it was; one whose length the system does not say (of /proc), to its end.
        var end = facts.Size == 0 ? long.MaxValue : facts.Size;
        long position = 0;
        while (position < end && NextData(file, position, end) is { } run)
        {
            for (position = run.Start; position < run.End;)
            {
                var count = Read(file, _writer.Data[..(int)Math.Min(TreeWriter.MaxData, run.End - position)], position, name);
                if (count == 0)
                {
                    end = position;
                    break;
                }

                await _writer.DataAsync(position, count, cancellationToken).ConfigureAwait(false);
                position += count;
            }
        }

        // Cut off meanwhile: what there is now counts. Behind the last data there may be a hole.
        var length = facts.Size == 0 ? position : Math.Min(facts.Size, Math.Max(position, OpenFolder.StatOf(file, name).Size));
        await _writer.FileEndAsync(length, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next run of bytes that are stored; <see langword="null"/>: from here on there is only a hole. Where a file system does not say, all of it.</summary>
    private static (long Start, long End)? NextData(SafeFileHandle file, long position, long end)
    {
        if (end == long.MaxValue)
            return (position, end);
        var start = Posix.Seek(file, position, Posix.SeekData);
        if (start < 0)
            return Marshal.GetLastPInvokeError() == Posix.NoData ? null : (position, end);
        var stop = Posix.Seek(file, start, Posix.SeekHole);
        return start >= end ? null : (start, stop < 0 ? end : Math.Min(stop, end));
    }

    private static int Read(SafeFileHandle file, Memory<byte> buffer, long offset, string name)
    {
        try
        {
            return RandomAccess.Read(file, buffer.Span, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MuxStreamException(ProtocolCode.Failed, $"{name}: it cannot be read: {e.Message}");
        }
    }

    private static TreeEntry Entry(string path, TreeEntryKind kind, FileFacts facts) => new() { Path = path, Kind = kind, Mode = facts.Permissions, Modified = facts.Modified };
}

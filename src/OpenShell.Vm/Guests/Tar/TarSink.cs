using System.Formats.Tar;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests.Tar;

/// <summary>Writes a tree as a tar archive (PAX) while it comes. Holes become zeros: the format of this writer has none.</summary>
/// <param name="destination">Takes the archive; need not seek.</param>
/// <param name="rootName">What the root is called in it; empty: its contents stand at the top.</param>
public sealed class TarSink(Stream destination, string rootName) : ITreeSink
{
    private readonly TarWriter _tar = new(destination, TarEntryFormat.Pax, leaveOpen: true);
    private readonly List<string> _folders = [];
    private ForwardStream? _data;
    private Task _writing = Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask EnterFolderAsync(string? name, TreeEntry entry, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        _folders.Add(name ?? rootName);
        await _tar.WriteEntryAsync(Describe(new PaxTarEntry(TarEntryType.Directory, (path.Length == 0 ? "." : path) + "/"), entry), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask LeaveFolderAsync(CancellationToken cancellationToken)
    {
        _folders.RemoveAt(_folders.Count - 1);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask LinkAsync(string? name, TreeEntry entry, CancellationToken cancellationToken) =>
        await _tar.WriteEntryAsync(Describe(new PaxTarEntry(TarEntryType.SymbolicLink, PathOf(name)) { LinkName = entry.Target! }, entry), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask BeginFileAsync(string? name, TreeEntry entry, CancellationToken cancellationToken)
    {
        // In an archive the length comes first, and must be kept to.
        _data = new ForwardStream(entry.Size);
        var described = Describe(new PaxTarEntry(TarEntryType.RegularFile, PathOf(name)) { DataStream = _data }, entry);
        _writing = WriteAsync(described, _data, cancellationToken);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (offset + data.Length > _data!.Length)
            throw new MuxStreamException(ProtocolCode.Failed, "a file grew while it was copied, which an archive cannot take");
        await _data.FeedAsync(offset, data, cancellationToken).ConfigureAwait(false);
        await ThrowIfBrokenAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask EndFileAsync(long length, CancellationToken cancellationToken)
    {
        if (length != _data!.Length)
            throw new MuxStreamException(ProtocolCode.Failed, "a file changed its length while it was copied, which an archive cannot take");
        _data.End();
        await _writing.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(CancellationToken cancellationToken) => _tar.DisposeAsync();

    /// <summary>An archive that was given up has no end, so that nobody takes it for a whole one.</summary>
    public async ValueTask DisposeAsync()
    {
        _data?.Break();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private string PathOf(string? name) => string.Join('/', _folders.Append(name ?? rootName).Where(part => part.Length > 0));

    private async Task WriteAsync(PaxTarEntry entry, ForwardStream data, CancellationToken cancellationToken)
    {
        try
        {
            await _tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            data.Break();
            throw;
        }
    }

    private Task ThrowIfBrokenAsync() => _writing.IsFaulted ? _writing : Task.CompletedTask;

    private static PaxTarEntry Describe(PaxTarEntry entry, TreeEntry told)
    {
        entry.Mode = (UnixFileMode)((told.Mode ?? 0x1ED) & 0x1FF);
        if (told.Modified is { } nanoseconds)
            entry.ModificationTime = DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(nanoseconds / TimeSpan.NanosecondsPerTick, 0, 253_402_300_799L * TimeSpan.TicksPerSecond));
        return entry;
    }
}

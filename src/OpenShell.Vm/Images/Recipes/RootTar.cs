using System.Formats.Tar;
using System.Text;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The root image's content as a tar stream: Debian first, then ours; each name once, owners root, times fixed.</summary>
internal sealed class RootTar(Stream output) : IAsyncDisposable
{
    // What mmdebstrap leaves that has no place in an image: device nodes (the kernel makes them), package management's caches and logs.
    private static readonly string[] Dropped =
        ["dev/", "proc/", "sys/", "run/", "tmp/", "var/cache/", "var/lib/apt/", "var/log/", "etc/apt/", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "etc/resolv.conf", "etc/hostname"];

    // GNU's format and not pax: sqfstar 4.5 refuses pax headers as .NET writes them. Nothing is lost: Debian's packages here have no extended attributes.
    private readonly TarWriter _tar = new(output, TarEntryFormat.Gnu, leaveOpen: true);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Everything of mmdebstrap's tar that is not dropped; reports bytes read.</summary>
    public async Task AddBaseAsync(string path, Action<long> onBytes, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        await using var reader = new TarReader(file);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
        {
            var name = Normal(entry.Name);
            if (IsDropped(name))
                continue;
            if (name.Length == 0 || name == "." || !_names.Add(name))
                continue;
            await _tar.WriteEntryAsync(new GnuTarEntry(entry), cancellationToken).ConfigureAwait(false);
            onBytes(file.Position);
        }
    }

    /// <summary>Whether a name of mmdebstrap's tar has no place in an image.</summary>
    internal static bool IsDropped(string name) =>
        Dropped.Any(d => name.StartsWith(d, StringComparison.Ordinal) && name.Length > d.TrimEnd('/').Length) || Dropped.Contains(name);

    /// <summary>All regular files of one of our own tars, below a folder.</summary>
    public async Task AddTarAsync(string path, string below, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        await using var reader = new TarReader(file);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            await AddAsync(TarEntryType.RegularFile, below + Normal(entry.Name), (int)entry.Mode, e => e.DataStream = entry.DataStream, cancellationToken).ConfigureAwait(false);
    }

    public async Task AddFileAsync(string name, string path, bool executable, CancellationToken cancellationToken)
    {
        await using var content = File.OpenRead(path);
        await AddAsync(TarEntryType.RegularFile, name, Mode(executable), e => e.DataStream = content, cancellationToken).ConfigureAwait(false);
    }

    public Task AddTextAsync(string name, string text, CancellationToken cancellationToken) =>
        AddAsync(TarEntryType.RegularFile, name, Mode(executable: false), e => e.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), cancellationToken);

    public Task AddLinkAsync(string name, string target, CancellationToken cancellationToken) =>
        AddAsync(TarEntryType.SymbolicLink, name, 0b111_111_111, e => e.LinkName = target, cancellationToken);

    public async Task AddFolderAsync(string name, CancellationToken cancellationToken)
    {
        if (!_names.Contains(name))
            await AddAsync(TarEntryType.Directory, name, Mode(executable: true), _ => { }, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _tar.DisposeAsync();

    private async Task AddAsync(TarEntryType type, string name, int mode, Action<GnuTarEntry> complete, CancellationToken cancellationToken)
    {
        if (name.LastIndexOf('/') is var slash and > 0)
            await AddFolderAsync(name[..slash], cancellationToken).ConfigureAwait(false);
        if (!_names.Add(name))
            throw new InvalidOperationException($"{name} is in the image twice");
        var entry = new GnuTarEntry(type, type == TarEntryType.Directory ? name + "/" : name) { Mode = (UnixFileMode)mode, ModificationTime = DateTimeOffset.UnixEpoch };
        complete(entry);
        await _tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
    }

    private static int Mode(bool executable) => executable ? 0b111_101_101 : 0b110_100_100;

    private static string Normal(string name) => (name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name).TrimEnd('/');
}

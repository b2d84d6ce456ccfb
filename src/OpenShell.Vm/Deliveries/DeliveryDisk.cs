using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Deliveries;

/// <summary>
/// Writes what a configuration names as the disk that the guest reads (<see cref="DeliveryIndex"/>): a tar as the bytes of a disk, since a tar needs no tool to be made, no
/// file system to be read, and is whole blocks of 512 bytes.
/// </summary>
internal static class DeliveryDisk
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes it, beside its place first; leaves the one of before alone when none of its sources has changed since.</summary>
    /// <param name="config">Validated.</param>
    /// <param name="path">Where it goes; readable by its owner alone, since it may hold credentials.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many files it holds, and whether it was written.</returns>
    internal static async Task<(int Files, bool Written)> WriteAsync(InstanceConfig config, string path, CancellationToken cancellationToken)
    {
        var (entries, index) = await ContentsAsync(config, cancellationToken).ConfigureAwait(false);
        var stamp = path + ".stamp";

        // The index names every content by its hash.
        var key = Convert.ToHexStringLower(SHA256.HashData(index));
        if (File.Exists(path) && File.Exists(stamp) && await File.ReadAllTextAsync(stamp, cancellationToken).ConfigureAwait(false) == key)
            return (entries.Count, false);

        File.Delete(stamp);
        var aside = path + ".new";
        File.Delete(aside);
        await using (var output = new FileStream(aside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            await using var tar = new TarWriter(output, TarEntryFormat.Pax, leaveOpen: true);
            await WriteAsync(tar, DeliveryIndex.EntryName, new MemoryStream(index), cancellationToken).ConfigureAwait(false);
            foreach (var entry in entries)
            {
                await using var content = entry.Open();
                await WriteAsync(tar, entry.Name, content, cancellationToken).ConfigureAwait(false);
            }
        }

        File.Move(aside, path, overwrite: true);
        await HostFiles.WriteWholeAsync(stamp, Encoding.ASCII.GetBytes(key), cancellationToken, OwnerOnly).ConfigureAwait(false);
        return (entries.Count, true);
    }

    /// <summary>The digest of all that would be on it.</summary>
    internal static async Task<string> DigestAsync(InstanceConfig config, CancellationToken cancellationToken) =>
        Convert.ToHexStringLower(SHA256.HashData((await ContentsAsync(config, cancellationToken).ConfigureAwait(false)).Index));

    private static async Task<(List<Entry> Entries, byte[] Index)> ContentsAsync(InstanceConfig config, CancellationToken cancellationToken)
    {
        var manifests = DeliveryFiles.Manifests(config).Select((file, i) => new Entry("manifests", file, i)).ToList();
        var images = DeliveryFiles.Images(config).Select((file, i) => new Entry("images", file, i)).ToList();
        var charts = DeliveryFiles.Charts(config).Select(file => new Entry("charts", file, null)).ToList();
        var authorities = config.CertificateAuthorities.Count > 0 ? new Entry("ca", CertificateBundle.Pem(config.CertificateAuthorities)) : null;
        var mirrors = config.RegistryMirrors.Select((mirror, i) => (Mirror: mirror, Ca: mirror.CertificateAuthority is { } ca ? new Entry($"mirror-{i.ToString(CultureInfo.InvariantCulture)}", CertificateBundle.Pem([ca])) : null)).ToList();

        // Images last: the guest reads all before them into memory, and them when it has a disk to put them on.
        List<Entry> entries = [.. manifests, .. charts, .. new[] { authorities }.Concat(mirrors.Select(m => m.Ca)).OfType<Entry>(), .. images];

        foreach (var entry in entries)
            await entry.HashAsync(cancellationToken).ConfigureAwait(false);
        var index = JsonSerializer.SerializeToUtf8Bytes(
            new DeliveryIndex
            {
                Authorities = authorities?.Name,
                Manifests = [.. manifests.Select(m => m.Delivered)],
                Images = [.. images.Select(m => m.Delivered)],
                Charts = [.. charts.Select(m => m.Delivered)],
                Mirrors = [.. mirrors.Select(m => Delivered(m.Mirror, m.Ca?.Name))],
            },
            ProtocolJson.Default.DeliveryIndex);
        return (entries, index);
    }

    private static Task WriteAsync(TarWriter tar, string name, Stream content, CancellationToken cancellationToken) =>
        tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, ModificationTime = DateTimeOffset.UnixEpoch, Mode = OwnerOnly }, cancellationToken);

    private static DeliveredMirror Delivered(RegistryMirror mirror, string? authorities)
    {
        var credentials = mirror.CredentialsFile is { } file ? DeliveryFiles.Credentials(file) : null;
        return new DeliveredMirror { Upstream = mirror.Upstream, Url = mirror.Url, Authorities = authorities, User = credentials?.User, Password = credentials?.Password, SkipVerify = mirror.SkipVerify };
    }

    /// <summary>One entry: a file of the host, or a text.</summary>
    private sealed class Entry
    {
        private readonly string? _file;
        private readonly byte[] _text = [];
        private string _sha256 = "";

        public Entry(string folder, string file, int? index)
        {
            _file = file;
            // Two folders may have a file of the same name, and the order is theirs; a chart is asked for by its own name.
            FileName = index is null ? Path.GetFileName(file) : string.Create(CultureInfo.InvariantCulture, $"{index:000}-{Path.GetFileName(file)}");
            Name = $"{folder}/{FileName}";
        }

        public Entry(string name, string text)
        {
            _text = Encoding.ASCII.GetBytes(text);
            FileName = Name = name + ".crt";
        }

        public string Name { get; }

        public DeliveredFile Delivered => new(FileName, Name, _sha256);

        private string FileName { get; }

        public Stream Open() => _file is null ? new MemoryStream(_text) : File.OpenRead(_file);

        public async Task HashAsync(CancellationToken cancellationToken) =>
            _sha256 = _file is null ? Convert.ToHexStringLower(SHA256.HashData(_text)) : await HostFiles.Sha256Async(_file, cancellationToken).ConfigureAwait(false);
    }
}

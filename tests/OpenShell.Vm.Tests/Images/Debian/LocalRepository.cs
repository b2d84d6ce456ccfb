using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Tests.Images.Debian;

/// <summary>A small mirror of Debian on this disk, with real packages, for the real apt: no network in tests.</summary>
internal sealed class LocalRepository(TemporaryFolder folder)
{
    private readonly List<(string Control, string File)> _packages = [];
    private string _sources = "";

    public string Root => folder.File("mirror");

    public Tools Tools { get; } = new(folder.File("apt.log"));

    public DebianArchive Archive => new() { Main = new AptSource(["deb"], "file:" + Root, "bookworm", ["main"], new Dictionary<string, string> { ["trusted"] = "yes" }) };

    /// <summary>A builder's apt over this mirror.</summary>
    public PrivateApt Apt() => new(folder.File("apt"), "bookworm", "amd64", Archive);

    /// <summary>Adds a package with one file in it; call <see cref="PublishAsync"/> after the last.</summary>
    public async Task<string> AddAsync(string name, string version, string fields = "")
    {
        var control = $"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: Test <test@example.org>\n{fields}Description: test\n";
        var tree = $"packages/{name}_{version.Replace(':', '_')}";
        folder.Write($"{tree}/DEBIAN/control", control);
        folder.Write($"{tree}/usr/share/{name}/version", version);
        var file = $"pool/{name}_{version.Replace(":", "%3a", StringComparison.Ordinal)}_amd64.deb";
        Directory.CreateDirectory(Path.Combine(Root, "pool"));
        await HostTool.RunAsync("dpkg-deb", ["--root-owner-group", "--build", folder.File(tree), Path.Combine(Root, file)]);
        _packages.Add((control, file));
        return Path.Combine(Root, file);
    }

    /// <summary>Adds a source package of given files.</summary>
    public void AddSource(string name, string version, params (string Name, string Content)[] files)
    {
        foreach (var (file, content) in files)
            folder.Write("mirror/pool/" + file, content);
        string Lines(Func<byte[], byte[]> hash) => string.Concat(files.Select(f => $"\n {Hex(hash(Encoding.UTF8.GetBytes(f.Content)))} {f.Content.Length} {f.Name}"));
        _sources += $"Package: {name}\nBinary: {name}\nVersion: {version}\nFormat: 3.0 (quilt)\nDirectory: pool\nFiles:{Lines(MD5Hash)}\nChecksums-Sha256:{Lines(SHA256.HashData)}\n\n";
    }

    /// <summary>Forgets a package, as mirrors do when it was superseded.</summary>
    public void Remove(string file) => _packages.RemoveAll(p => file.EndsWith(p.File, StringComparison.Ordinal));

    /// <summary>Writes the lists.</summary>
    public async Task PublishAsync()
    {
        var packages = new StringBuilder();
        foreach (var (control, file) in _packages)
        {
            var bytes = await File.ReadAllBytesAsync(Path.Combine(Root, file));
            packages.Append(control).Append(CultureInfo.InvariantCulture, $"Filename: {file}\nSize: {bytes.Length}\nSHA256: {Hex(SHA256.HashData(bytes))}\n\n");
        }

        foreach (var suite in (string[])["bookworm", "bookworm-updates"])
        {
            var (binary, source) = suite == "bookworm" ? (packages.ToString(), _sources) : ("", "");
            folder.Write($"mirror/dists/{suite}/main/binary-amd64/Packages", binary);
            folder.Write($"mirror/dists/{suite}/main/source/Sources", source);
            folder.Write($"mirror/dists/{suite}/Release", $"""
                Origin: Debian
                Suite: {suite}
                Codename: {suite}
                Architectures: amd64
                Components: main
                Date: {DateTime.UtcNow.ToString("R", CultureInfo.InvariantCulture).Replace("GMT", "UTC", StringComparison.Ordinal)}
                SHA256:
                 {Line(binary, "main/binary-amd64/Packages")}
                 {Line(source, "main/source/Sources")}

                """);
        }
    }

    private static string Line(string content, string name) => $"{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(content)))} {content.Length} {name}";

    private static string Hex(byte[] hash) => Convert.ToHexStringLower(hash);

    // apt wants the old sums of source packages too; they protect nothing here.
#pragma warning disable CA5351
    private static byte[] MD5Hash(byte[] content) => MD5.HashData(content);
#pragma warning restore CA5351
}

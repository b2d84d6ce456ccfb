using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Boot.Tests.Arm64;

/// <summary>For the host's own processor Debian's root can be made both ways: with its packages' scripts, and as for another processor. Whatever differs is known and has its reason.</summary>
public sealed class UnpackedDebianTests
{
    // mmdebstrap's hook makes these when nothing is configured; on AArch64 there are none.
    private static readonly string[] OnlyUnpacked = ["lib32", "libx32", "usr/lib32", "usr/libx32"];

    [Fact]
    public async Task Without_its_scripts_it_is_the_same_but_for_what_is_left_out()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        var builder = new ImageBuilder(HostDirectories.FromEnvironment(), new RecipeCatalog([DebianRootRecipe.Upstream, DebianRootRecipe.Unpacked]), source: null);
        var built = await builder.EnsureKindsAsync(
            [DebianRootRecipe.Name, DebianRootRecipe.Unpacked.Kind], refresh: false, repair: true, progress: null, TestContext.Current.CancellationToken);
        var configured = Read(builder.FileOf(built[0], DebianRootRecipe.Tar));
        var unpacked = Read(builder.FileOf(built[1], DebianRootRecipe.Tar));

        var missing = configured.Keys.Except(unpacked.Keys).ToList();
        missing.Where(name => ReasonFor(name) is null).Order().ShouldBeEmpty("made by scripts, and not made up for");
        UnpackedDebian.LeftOut.Where(l => !configured.Keys.Any(name => name.StartsWith(l.Prefix, StringComparison.Ordinal))).ShouldBeEmpty("nothing makes these any more");
        unpacked.Keys.Except(configured.Keys).Except(OnlyUnpacked).Where(name => ReasonFor(name) is null).Order().ShouldBeEmpty("made up, and made by no script");

        string[] adapted = ["etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt"];
        var both = configured.Keys.Intersect(unpacked.Keys).Where(name => ReasonFor(name) is null || adapted.Contains(name)).ToList();
        both.Count.ShouldBeGreaterThan(2000);
        both.Where(name => configured[name].Shape != unpacked[name].Shape).Select(name => $"{name}: {configured[name].Shape}, {unpacked[name].Shape}").ShouldBeEmpty();
        both.Except(adapted).Where(name => configured[name].Hash != unpacked[name].Hash).Order().ShouldBeEmpty("other contents");

        // Scripts add the users of services, which the guest does not run as Debian does.
        Names(unpacked["etc/passwd"]).ShouldBe(Names(configured["etc/passwd"]).Except(["etcd", "dnsmasq"]), ignoreOrder: true);
        Names(unpacked["etc/group"]).ShouldBe(Names(configured["etc/group"]).Except(["etcd"]), ignoreOrder: true);
        Certificates(unpacked["etc/ssl/certs/ca-certificates.crt"]).ShouldBe(Certificates(configured["etc/ssl/certs/ca-certificates.crt"]), ignoreOrder: true);
    }

    private static string? ReasonFor(string name) => UnpackedDebian.LeftOut.FirstOrDefault(l => name.StartsWith(l.Prefix, StringComparison.Ordinal)).Why;

    private static IEnumerable<string> Names(Entry file) => file.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(':')[0]);

    private static IEnumerable<string> Certificates(Entry file) =>
        file.Text.Split("-----END CERTIFICATE-----").Select(c => string.Concat(c.Where(ch => !char.IsWhiteSpace(ch)))).Where(c => c.Length > 0);

    private static Dictionary<string, Entry> Read(string path)
    {
        using var tar = new TarReader(File.OpenRead(path));
        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        while (tar.GetNextEntry() is { } entry)
        {
            var name = (entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name).TrimEnd('/');
            if (name.Length == 0 || name == "." || RootTar.IsDropped(name))
                continue;
            var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            var link = entry.EntryType is TarEntryType.SymbolicLink;
            var bytes = content.ToArray();
            entries[name] = new Entry(
                $"{entry.EntryType} {(link ? entry.LinkName : Convert.ToString((int)entry.Mode, 8))} {entry.Uid}:{entry.Gid}",
                Convert.ToHexString(SHA256.HashData(bytes)),
                bytes.Length < 1 << 20 ? Encoding.UTF8.GetString(bytes) : "");
        }

        return entries;
    }

    private sealed record Entry(string Shape, string Hash, string Text);
}

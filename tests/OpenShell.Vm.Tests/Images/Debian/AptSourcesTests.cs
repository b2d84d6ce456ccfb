using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Tests.Images.Debian;

public sealed class AptSourcesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_line_sources_are_read_with_their_trust()
    {
        var source = AptSources.OneLine(
        [
            "# a comment",
            "deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian/ bookworm main contrib # why",
            "deb-src http://mirror.example/debian bookworm main",
            "nonsense",
        ]).ToList();

        source.Count.ShouldBe(2);
        source[0].ShouldSatisfyAllConditions(
            s => s.Uri.ShouldBe("http://mirror.example/debian"),
            s => s.Suite.ShouldBe("bookworm"),
            s => s.Components.ShouldBe(["main", "contrib"]),
            s => s.Options.ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create("signed-by", "/usr/share/keyrings/x.gpg")));
        source[1].Types.ShouldBe(["deb-src"]);
    }

    [Fact]
    public void Stanzas_are_read_for_each_suite_and_disabled_ones_are_not()
    {
        var sources = AptSources.Stanzas("""
            # comment
            Types: deb
            URIs: mirror+file:///etc/apt/mirrors/debian.list
            # another
            Suites: bookworm bookworm-updates
            Components: main
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb deb-src
            URIs: http://mirror.example/debian-security/
            Suites: bookworm-security
            Components: main
            Signed-By:
             -----BEGIN PGP PUBLIC KEY BLOCK-----
             .
             xsFNBGPL0BUB
             -----END PGP PUBLIC KEY BLOCK-----

            Types: deb
            URIs: http://disabled.example
            Suites: bookworm
            Components: main
            Enabled: no
            """.Split('\n')).ToList();

        sources.Select(s => s.Suite).ShouldBe(["bookworm", "bookworm-updates", "bookworm-security"]);
        sources[0].Uri.ShouldBe("mirror+file:///etc/apt/mirrors/debian.list");
        sources[2].Options.ShouldBeEmpty("a key in the file cannot be said in one line");
    }

    [Fact]
    public void Lists_and_stanzas_of_a_host_are_both_read_and_other_files_are_not()
    {
        _folder.Write("sources.list", "deb http://a.example/debian bookworm main\n");
        _folder.Write("sources.list.d/b.list", "deb http://b.example/debian trixie main\n");
        _folder.Write("sources.list.d/c.sources", "Types: deb\nURIs: http://c.example/debian\nSuites: sid\nComponents: main\n");
        _folder.Write("sources.list.d/d.list.disabled", "deb http://d.example/debian sid main\n");
        AptSources.OfHost(_folder.Path).Select(s => s.Uri).ShouldBe(["http://a.example/debian", "http://b.example/debian", "http://c.example/debian"]);
    }

    [Fact]
    public void Any_suite_is_asked_of_the_mirror_that_the_host_has_for_its_own()
    {
        var archive = DebianArchive.OfHost([.. AptSources.OneLine(
        [
            "deb http://other.example/tool stable tool",
            "deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main",
            "deb [signed-by=/k.gpg] http://mirror.example/debian-security bookworm-security main",
        ])]);

        archive.Lines("trixie").ShouldBe(
        [
            "deb [signed-by=/k.gpg] http://mirror.example/debian trixie main",
            "deb [signed-by=/k.gpg] http://mirror.example/debian trixie-updates main",
            "deb [signed-by=/k.gpg] http://mirror.example/debian-security trixie-security main",
        ]);
        archive.Lines("bookworm-backports").ShouldContain("deb [signed-by=/k.gpg] http://mirror.example/debian bookworm-backports main");
        archive.Lines("bookworm", source: true).ShouldAllBe(l => l.StartsWith("deb-src ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_host_without_a_mirror_of_Debian_is_told_what_to_do() =>
        Should.Throw<FaultException>(() => DebianArchive.OfHost([])).Faults[0].Remedy.ShouldContain(DebianArchive.MirrorVariable);
}

using System.Formats.Tar;
using System.Text;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Tests.Images.Recipes;

/// <summary>What is made up for packages' scripts. That it is what they would make is shown by the boot tests, which build a Debian both ways.</summary>
public sealed class UnpackedDebianTests
{
    [Fact]
    public async Task Users_links_and_certificates_are_made_of_what_the_packages_have()
    {
        var made = await CompleteAsync(
            ("usr/share/base-passwd/passwd.master", "root:*:0:0:root:/root:/bin/bash\n"),
            ("usr/share/ca-certificates/mozilla/B.crt", "BBB\n"),
            ("usr/share/ca-certificates/mozilla/A.crt", "AAA"),
            ("usr/bin/more", "x"),
            ("usr/sbin/iptables-nft", "x"));

        made["etc/passwd"].ShouldBe("root:*:0:0:root:/root:/bin/bash\n");
        made["usr/share/base-passwd/passwd.master"].ShouldBe(made["etc/passwd"], "the original stays");
        made["etc/ssl/certs/ca-certificates.crt"].ShouldBe("AAA\nBBB\n");
        made["etc/alternatives/iptables"].ShouldBe("-> /usr/sbin/iptables-nft");
        made["usr/sbin/iptables"].ShouldBe("-> /etc/alternatives/iptables");
        made["etc/alternatives/pager"].ShouldBe("-> /bin/more");
        made["var/run"].ShouldBe("-> /run");
        made["usr/local/bin"].ShouldBe("folder");
    }

    [Fact]
    public async Task A_link_to_what_is_not_there_is_not_made()
    {
        var made = await CompleteAsync(("usr/bin/thing", "x"));
        made.Keys.ShouldNotContain("usr/sbin/iptables");
        made.Keys.ShouldNotContain("etc/passwd");
        made.Keys.ShouldNotContain("etc/ssl/certs/ca-certificates.crt");
    }

    [Fact]
    public void Every_thing_left_out_has_its_reason() => UnpackedDebian.LeftOut.ShouldAllBe(l => l.Prefix.Length > 0 && l.Why.Length > 0);

    private static async Task<Dictionary<string, string>> CompleteAsync(params (string Name, string Content)[] files)
    {
        var token = TestContext.Current.CancellationToken;
        using var unpacked = new MemoryStream();
        await using (var tar = new TarWriter(unpacked, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "./var/run/"), token);
            foreach (var (name, content) in files)
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "./" + name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) }, token);
        }

        unpacked.Position = 0;
        using var completed = new MemoryStream();
        await UnpackedDebian.CompleteAsync(unpacked, completed, token);
        completed.Position = 0;
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        using var reader = new TarReader(completed);
        while (reader.GetNextEntry() is { } entry)
        {
            var name = (entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name).TrimEnd('/');
            made.Add(name, entry.EntryType switch
            {
                TarEntryType.SymbolicLink => "-> " + entry.LinkName,
                TarEntryType.Directory => "folder",
                _ => entry.DataStream is { } data ? new StreamReader(data).ReadToEnd() : "",
            });
        }

        return made;
    }
}

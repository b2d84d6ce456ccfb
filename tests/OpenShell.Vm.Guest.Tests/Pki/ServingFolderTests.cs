using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Pki;

public sealed class ServingFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder.File("a/serving");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_set_takes_the_place_of_the_other_as_a_whole_and_says_that_it_did()
    {
        ServingFolder.Version(Folder).ShouldBeNull();
        Replace("1");
        var first = ServingFolder.Version(Folder).ShouldNotBeNull();
        Replace("2");

        ServingFolder.Version(Folder).ShouldNotBe(first);
        Read(ServingFolder.Certificate).ShouldBe("c2");
        Read(ServingFolder.Key).ShouldBe("k2");
    }

    [Fact]
    public void Who_reads_the_old_set_reads_it_to_its_end()
    {
        Replace("1");
        var old = Path.Combine(Folder, ServingFolder.Version(Folder)!);
        Replace("2");
        File.ReadAllText(Path.Combine(old, ServingFolder.Key)).ShouldBe("k1");

        ServingFolder.RemoveOld(Folder);
        Directory.Exists(old).ShouldBeFalse();
        Read(ServingFolder.Key).ShouldBe("k2");
    }

    [Fact]
    public void Sets_do_not_pile_up()
    {
        for (var set = 0; set < 5; set++)
            Replace("x");

        Directory.GetDirectories(Folder, "..v*").Length.ShouldBe(2);
    }

    [Fact]
    public void Only_its_owner_reads_it_when_no_group_is_named()
    {
        Replace("1");
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

        (File.GetUnixFileMode(Folder) & Others).ShouldBe(UnixFileMode.None);
        (File.GetUnixFileMode(Path.Combine(Folder, ServingFolder.Version(Folder)!)) & Others).ShouldBe(UnixFileMode.None);
    }

    [Fact]
    public void A_group_that_is_named_reads_it_and_nobody_else()
    {
        if (Environment.UserName != "root")
            Assert.Skip("only root gives files to any group");
        ServingFolder.Replace(Folder, Files("1"), group: 65532);
        var file = Path.Combine(Folder, ServingFolder.Key);

        Command.Run("stat", "--dereference", "--format", "%g %a", file).Output.Trim().ShouldBe("65532 440");
        Command.Run("stat", "--format", "%g %a", Folder).Output.Trim().ShouldBe("65532 750");
    }

    private void Replace(string set) => ServingFolder.Replace(Folder, Files(set));

    private static Dictionary<string, string> Files(string set) => new() { [ServingFolder.Certificate] = "c" + set, [ServingFolder.Key] = "k" + set };

    private string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));
}

using System.Formats.Tar;
using System.Text;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Tests.Cluster;

/// <summary>With a program in ctr's place that keeps names in a file; the real one is in the boot tests.</summary>
public sealed class ImageImporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);

    public ImageImporterTests()
    {
        // --address SOCKET --namespace NAME images list|import ...
        File.WriteAllText(Ctr, $"""
            #!/bin/sh
            cd {_folder.Path} || exit 1
            echo "$6" >> asked
            case $6 in
                list) cat names ;;
                import)
                    name=localhost/$(basename "$7" .tar)
                    printf '%s:1\n%s:2\n' $name $name >> names
                    printf 'unpacking %s:1 (sha256:aa)...done\nunpacking %s:2 (sha256:bb)...done\n' $name $name ;;
            esac
            [ ! -e broken ]

            """);
        File.SetUnixFileMode(Ctr, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(_folder.File("images"));
        foreach (var name in (string[])["gateway", "pause"])
            Write(name, "digest of " + name);
    }

    private string Ctr => _folder.File("ctr");

    public void Dispose()
    {
        _reaper.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_imported_is_not_imported_again_while_it_is_there()
    {
        (await ImportAsync()).ShouldBe((2, 2));
        Asked().ShouldBe(["import", "import"]);

        (await ImportAsync()).ShouldBe((0, 2));
        Asked().ShouldBe(["import", "import", "list"]);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_image_that_was_deleted_since_is_imported_again_and_no_other()
    {
        await ImportAsync();
        File.WriteAllLines(_folder.File("names"), ["localhost/gateway:1", "localhost/pause:1", "localhost/pause:2"]);

        (await ImportAsync()).ShouldBe((1, 2));

        File.ReadAllLines(_folder.File("names")).ShouldContain("localhost/gateway:2");
        (await ImportAsync()).ShouldBe((0, 2));
    }

    [Fact(Timeout = 60_000)]
    public async Task Another_content_is_imported_though_the_names_are_there()
    {
        await ImportAsync();
        Write("pause", "another digest");

        (await ImportAsync()).ShouldBe((1, 2));
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_nobody_says_what_is_there_it_is_taken_to_be_there()
    {
        await ImportAsync();
        File.WriteAllText(_folder.File("names"), "");
        File.WriteAllText(_folder.File("broken"), "");

        (await ImportAsync()).ShouldBe((0, 2));
    }

    [Fact(Timeout = 60_000)]
    public async Task One_that_cannot_be_imported_is_named_and_tried_again()
    {
        File.WriteAllText(_folder.File("broken"), "");
        (await Should.ThrowAsync<GuestFaultException>(ImportAsync)).Fault.What.ShouldContain("gateway.tar could not be imported");
        File.Delete(_folder.File("broken"));

        (await ImportAsync()).ShouldBe((2, 2));
    }

    private Task<(int Imported, int All)> ImportAsync() =>
        new ImageImporter(new Tool(new ProcessLauncher(_reaper), _folder.File("tools")), Ctr, _folder.File("images"), _folder.File("markers")).ImportAsync();

    private string[] Asked() => File.ReadAllLines(_folder.File("asked"));

    private void Write(string name, string index)
    {
        using var tar = new TarWriter(File.Create(_folder.File($"images/{name}.tar")));
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "index.json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(index)) });
    }
}

using OpenShell.Vm.Bundles;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Tests.Images;

namespace OpenShell.Vm.Tests.Bundles;

/// <summary>Which packages of NuGet something was made of, by what its compiler left behind.</summary>
public sealed class RecordedPackagesTests
{
    [Fact]
    public void A_restore_is_read_with_libraries_packs_and_their_hashes()
    {
        using var folder = new TemporaryFolder();
        folder.Write("packages/the.pack/1.0.0/the.pack.1.0.0.nupkg.sha512", Convert.ToBase64String(new byte[64]));
        var assets = folder.Write("project.assets.json", $$"""
            {
              "libraries": {
                "A.Library/2.1.0": { "type": "package", "sha512": "{{Convert.ToBase64String(Enumerable.Repeat((byte)0xab, 64).ToArray())}}" },
                "Our.Project/0.1.0": { "type": "project" }
              },
              "packageFolders": { "{{folder.File("packages")}}/": {} },
              "project": { "frameworks": { "net10.0": { "downloadDependencies": [
                { "name": "The.Pack", "version": "[1.0.0, 1.0.0]" }, { "name": "Unknown.Pack", "version": "[3.0.0, 3.0.0]" } ] } } }
            }
            """);

        var packages = RestoredPackages.Read(assets);

        packages.Select(p => (p.Name, p.Version)).ShouldBe([("A.Library", "2.1.0"), ("The.Pack", "1.0.0"), ("Unknown.Pack", "3.0.0")]);
        packages[0].Sha512.ShouldBe(string.Concat(Enumerable.Repeat("ab", 64)));
        packages[1].Sha512.ShouldBe(new string('0', 128));
        packages[2].Sha512.ShouldBeNull();
    }

    [Fact]
    public void A_program_is_read_with_its_files_and_packages()
    {
        // This very program, as it was compiled.
        var command = CommandFiles.Find(AppContext.BaseDirectory, "OpenShell.Vm.Tests")!;

        command.Files.Select(f => f.Name).ShouldContain("OpenShell.Vm.dll");
        command.Files.ShouldAllBe(f => File.Exists(f.Path));
        command.Packages.ShouldContain(p => p.Name == "YamlDotNet" && p.Sha512!.Length == 128);
        command.IsNative.ShouldBeFalse();
        CommandFiles.Find(AppContext.BaseDirectory, "no-such-program").ShouldBeNull();
    }

    [Fact]
    public void A_program_in_native_code_is_one_file_whose_packages_are_told_beside_it()
    {
        using var folder = new TemporaryFolder();
        var program = folder.Write("tool", "native");
        var alone = CommandFiles.Find(folder.Path, "tool").ShouldNotBeNull();
        (alone.IsNative, alone.Packages.Count).ShouldBe((true, 0));
        alone.Files.ShouldBe([("tool", program)]);

        var description = folder.Write("tool.deps.json", """
            {
              "targets": { ".NETCoreApp,Version=v10.0/linux-x64": { "A.Library/2.1.0": { "runtime": { "lib/net10.0/A.Library.dll": {} } }, "Our.Project/0.1.0": { "runtime": { "Our.Project.dll": {} } } } },
              "libraries": { "A.Library/2.1.0": { "type": "package", "sha512": "" }, "Our.Project/0.1.0": { "type": "project", "sha512": "" } }
            }
            """);
        var command = CommandFiles.Find(folder.Path, "tool").ShouldNotBeNull();
        command.IsNative.ShouldBeTrue();
        command.Files.ShouldBe([("tool", program), ("tool.deps.json", description)]);
        command.Packages.Select(package => (package.Name, package.Version)).ShouldBe([("A.Library", "2.1.0")]);
    }
}

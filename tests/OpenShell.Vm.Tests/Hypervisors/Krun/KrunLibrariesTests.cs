using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

public sealed class KrunLibrariesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_user_names_comes_first_then_the_cache_then_the_distributions()
    {
        var folders = KrunLibraries.Folders("/opt/mine", "/home/u/.cache/openshell-vm", isMac: false, "aarch64");
        folders.Take(4).ShouldBe(["/opt/mine", "/home/u/.cache/openshell-vm/runtime", "/usr/lib64", "/usr/lib/aarch64-linux-gnu"]);
        KrunLibraries.Folders(null, "/c", isMac: true, "aarch64").Take(2).ShouldBe(["/c/runtime", "/opt/homebrew/lib"]);
    }

    [Fact]
    public void libkrun_is_taken_from_the_first_folder_that_has_it()
    {
        Make("b/libkrun.so.1", "c/libkrun.so.1");
        KrunLibraries.FindLibkrun(null, Folders("a", "b", "c"), isMac: false).ShouldBe(_folder.File("b/libkrun.so.1"));
        KrunLibraries.FindLibkrun(null, Folders("b"), isMac: true).ShouldBeNull();
    }

    [Fact]
    public void A_folder_that_the_user_names_must_hold_it()
    {
        Make("b/libkrun.so.1");
        Directory.CreateDirectory(_folder.File("mine"));
        KrunLibraries.FindLibkrun(_folder.File("mine"), [_folder.File("mine"), _folder.File("b")], isMac: false).ShouldBeNull();
    }

    [Fact]
    public void Every_libkrunfw_is_found_since_which_fits_depends_on_libkrun()
    {
        Make("a/libkrunfw.so.4", "b/libkrunfw.so.4", "b/libkrunfw.so.5");
        KrunLibraries.FindLibkrunfw(Folders("a", "b"), isMac: false)
            .ShouldBe([_folder.File("a/libkrunfw.so.4"), _folder.File("b/libkrunfw.so.5"), _folder.File("b/libkrunfw.so.4")]);
        KrunLibraries.FirmwareName(5, isMac: true).ShouldBe("libkrunfw.5.dylib");
    }

    private string[] Folders(params string[] names) => [.. names.Select(_folder.File)];

    private void Make(params string[] files)
    {
        foreach (var file in files.Select(_folder.File))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, "");
        }
    }
}

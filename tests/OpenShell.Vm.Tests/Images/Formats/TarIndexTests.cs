using System.Text;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class TarIndexTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_are_found_through_links_as_in_a_merged_file_system()
    {
        _folder.Write("root/usr/lib/x86/libc-2.36.so", "the library");
        File.CreateSymbolicLink(_folder.File("root/usr/lib/x86/libc.so.6"), "libc-2.36.so");
        File.CreateSymbolicLink(_folder.File("root/lib"), "usr/lib");
        File.CreateSymbolicLink(_folder.File("root/usr/lib/up"), "../lib/x86");
        File.CreateSymbolicLink(_folder.File("root/absolute"), "/usr/lib/x86/libc.so.6");
        using var tar = TarIndex.Open(await PackAsync());

        foreach (var path in (string[])["lib/x86/libc.so.6", "/usr/lib/x86/libc-2.36.so", "usr/lib/up/libc.so.6", "absolute"])
            Encoding.UTF8.GetString(tar.Read(path)).ShouldBe("the library", path);
    }

    [Fact]
    public async Task Hard_links_lead_to_their_file()
    {
        _folder.Write("root/a", "same");
        await HostTool.RunAsync("ln", [_folder.File("root/a"), _folder.File("root/b")]);
        using var tar = TarIndex.Open(await PackAsync());

        Encoding.UTF8.GetString(tar.Read("a")).ShouldBe("same");
        Encoding.UTF8.GetString(tar.Read("b")).ShouldBe("same");
    }

    [Fact]
    public async Task A_loop_of_links_and_a_missing_file_are_nothing()
    {
        _folder.Write("root/file", "");
        File.CreateSymbolicLink(_folder.File("root/a"), "b");
        File.CreateSymbolicLink(_folder.File("root/b"), "a");
        using var tar = TarIndex.Open(await PackAsync());

        tar.Resolve("a").ShouldBeNull();
        tar.Resolve("nosuch/file").ShouldBeNull();
        Should.Throw<FileNotFoundException>(() => tar.Read("nosuch")).Message.ShouldContain("nosuch");
    }

    private async Task<string> PackAsync()
    {
        await HostTool.RunAsync("tar", ["-C", _folder.File("root"), "-cf", _folder.File("root.tar"), "."]);
        return _folder.File("root.tar");
    }
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class MemoryPlaceTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public MemoryPlaceTests()
    {
        Directory.CreateDirectory(_folder.File("shm"));
        Directory.CreateDirectory(_folder.File("building"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nobody_else_may_read_it()
    {
        var path = Place.Make("hash", _folder.File("building"), 1);
        Path.GetDirectoryName(path).ShouldBe(_folder.File("shm"));
        File.GetUnixFileMode(path).ShouldBe(AtomicFile.OwnerOnly);
        Place.Existing().ShouldHaveSingleItem().ShouldBe((path, "hash"));
    }

    [Fact]
    public void What_a_killed_bake_left_is_replaced_and_a_link_is_not_followed()
    {
        var first = Place.Make("hash", _folder.File("building"), 1);
        File.Delete(first);
        var elsewhere = _folder.File("elsewhere");
        File.WriteAllText(elsewhere, "precious");
        File.CreateSymbolicLink(first, elsewhere);
        Place.Make("hash", _folder.File("building"), 1).ShouldBe(first);
        (File.ReadAllText(elsewhere), new FileInfo(first).LinkTarget, new FileInfo(first).Length).ShouldBe(("precious", null, 0));
    }

    [Fact]
    public void Where_that_name_cannot_be_had_it_is_in_the_images_own_folder()
    {
        var first = Place.Make("hash", _folder.File("building"), 1);
        File.Delete(first);
        Directory.CreateDirectory(first);
        var path = Place.Make("hash", _folder.File("building"), 1);
        path.ShouldBe(_folder.File("building/memory.raw"));
        File.GetUnixFileMode(path).ShouldBe(AtomicFile.OwnerOnly);
    }

    private MemoryPlace Place => new("a cache", _folder.File("shm"));
}

using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Tests.State;

public sealed class MarkerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_remembers_one_content_and_no_other()
    {
        var marker = new Marker("manifests", _folder.File("markers"));
        marker.Is("a").ShouldBeFalse();
        marker.Set("a");
        new Marker("manifests", _folder.File("markers")).Is("a").ShouldBeTrue();
        marker.Is("b").ShouldBeFalse();
    }

    [Fact]
    public void It_knows_what_came_of_it()
    {
        var marker = new Marker("images", _folder.File("markers"));
        marker.Made.ShouldBeEmpty();
        marker.Set("a", ["one", "two"]);
        (marker.Is("a"), marker.Is("one")).ShouldBe((true, false));
        marker.Made.ShouldBe(["one", "two"]);
        marker.Set("b");
        marker.Made.ShouldBeEmpty();
    }

    [Fact]
    public void Where_one_text_ends_and_the_next_begins_counts() => Marker.HashOf(["ab", "c"]).ShouldNotBe(Marker.HashOf(["a", "bc"]));
}

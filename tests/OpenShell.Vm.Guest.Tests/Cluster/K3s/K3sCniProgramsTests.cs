using OpenShell.Vm.Guest.Cluster.K3s;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

public sealed class K3sCniProgramsTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly K3sLayout _layout;

    public K3sCniProgramsTests() => _layout = new K3sLayout(_root.Path);

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_folder_that_is_being_unpacked_does_not_count()
    {
        K3sCniPrograms.FindPrograms(_layout.Unpacked).ShouldBeNull();
        Unpack("abc-tmp");
        K3sCniPrograms.FindPrograms(_layout.Unpacked).ShouldBeNull();
        Unpack("abc");
        K3sCniPrograms.FindPrograms(_layout.Unpacked).ShouldBe(Path.Combine(_layout.Unpacked, "abc", "bin"));
    }

    [Fact]
    public void The_current_version_wins()
    {
        Unpack("abc");
        Unpack("def");
        File.CreateSymbolicLink(Path.Combine(_layout.Unpacked, "current"), "def");

        K3sCniPrograms.FindPrograms(_layout.Unpacked).ShouldBe(Path.Combine(_layout.Unpacked, "current", "bin"));
    }

    [Fact(Timeout = 30_000)]
    public async Task They_are_linked_as_soon_as_they_are_there_and_again_when_k3s_has_been_changed()
    {
        var k3sRuns = new TaskCompletionSource();
        var linking = K3sCniPrograms.LinkWhenThereAsync(_layout, k3sRuns.Task, TestContext.Current.CancellationToken);
        Unpack("abc");
        await Eventually(() => Target("bridge")?.Contains("abc", StringComparison.Ordinal) == true);

        Unpack("def");
        File.CreateSymbolicLink(Path.Combine(_layout.Unpacked, "current"), "def");
        k3sRuns.SetResult();
        await linking;

        Target("bridge").ShouldBe(Path.Combine(_layout.Unpacked, "current", "bin", "bridge"));
        Target("portmap").ShouldNotBeNull();
        Target("flannel").ShouldBeNull();
    }

    private string? Target(string name) => new FileInfo(Path.Combine(_layout.Of(K3sLayout.CniPrograms), name)).LinkTarget;

    private void Unpack(string hash)
    {
        var bin = Path.Combine(_layout.Unpacked, hash, "bin");
        Directory.CreateDirectory(bin);
        // bridge last: that it is there tells that all are.
        foreach (var name in (string[])["portmap", "loopback", "host-local", "flannel", "bridge"])
            File.WriteAllText(Path.Combine(bin, name), name);
    }

    private static async Task Eventually(Func<bool> holds)
    {
        while (!holds())
            await Task.Delay(20, TestContext.Current.CancellationToken);
    }
}

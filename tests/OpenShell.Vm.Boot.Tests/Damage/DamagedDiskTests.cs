using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>State disks that were cut off or overwritten, as the command tells them; and one that a real cluster was on.</summary>
public sealed class DamagedDiskTests : IAsyncLifetime
{
    private const string Name = "damaged";

    private readonly TestHome _home = new();

    private GatewayCli Gateway => new(_home);

    private string Folder => Path.Combine(_home.Data, "openshell-vm", "instances", Name);

    private string Disk => Path.Combine(Folder, "state.qcow2");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("qemu-img", "qemu-utils");
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Folder))
            await Gateway.RunAsync(TimeSpan.FromMinutes(3), [], "stop", "--force", "--name", Name);
        _home.Dispose();
    }

    [Theory]
    [InlineData("half")]
    [InlineData("empty")]
    [InlineData("garbage")]
    public async Task A_start_says_which_file_is_damaged_how_and_what_to_do_and_touches_nothing(string damage)
    {
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(Folder, "config.json"), $$"""{"format": 2, "name": "{{Name}}", "mode": "cluster", "memoryMib": 2048, "distribution": "upstream"}""", Cancellation);
        await ImgAsync("create", "-q", "-f", "qcow2", Disk, "4G");
        (await HostProgram.RunAsync("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 600m", Disk], GatewayCli.Short)).OrFail();
        Break(damage);
        var before = new FileInfo(Disk);
        var (length, written) = (before.Length, before.LastWriteTimeUtc);

        foreach (var arguments in (string[][])[["up", "--detach", "--name", Name], ["up", "--name", Name]])
        {
            var up = await Gateway.StartAsync(arguments);
            up.ExitCode.ShouldBe(1, up.ToString());
            up.Err.ShouldContain($"The instance's disk {Disk} is damaged");
            up.Err.ShouldContain($"gateway reset --name {Name}");
            up.Err.ShouldNotContain("   at ");
        }

        (await Gateway.RunAsync("list")).OrFail().ShouldContain(Name);
        var status = await Gateway.RunAsync("status", "--name", Name, "--output", "json");
        using (var json = JsonDocument.Parse(status.Output))
            json.RootElement.GetProperty("phase").GetString().ShouldBeOneOf(damage == "half" ? ["broken", "stopped"] : ["broken"]);
        var after = new FileInfo(Disk);
        (after.Length, after.LastWriteTimeUtc).ShouldBe((length, written));
        (await Gateway.RunAsync("reset", "--name", Name)).OrFail();
        (await Gateway.RunAsync("delete", "--name", Name)).OrFail();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cluster_whose_file_system_lost_its_superblock_is_repaired_and_has_its_objects_and_one_that_is_cut_in_half_is_not_started()
    {
        Requirements.SkipUnlessFull();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        (await Gateway.StartAsync("up", "--detach", "--name", Name, "--distribution", "upstream", "--timeout", "30m")).OrFail();
        var kubectl = new Kubectl(Path.Combine(_home.Home, ".kube", $"gateway-{Name}.yaml"), _home);
        await kubectl.RunAsync("create", "configmap", "memory", "--from-literal", "of=before");
        (await Gateway.RunAsync(TimeSpan.FromMinutes(3), [], "stop", "--name", Name)).OrFail();
        await OverwriteAsync("write -P 0x5a 0 4k");

        (await Gateway.StartAsync("up", "--detach", "--name", Name, "--timeout", "30m")).OrFail();
        var repaired = await new InstanceEvents(Gateway, Name).NextAsync("disk.repaired", 0);
        repaired.ShouldContain("repaired by a copy of its superblock");
        (await Gateway.RunAsync("timeline", "--name", Name)).OrFail().ShouldContain("repaired by a copy of its superblock");
        (await kubectl.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("before");
        (await Gateway.RunAsync("exec", "--name", Name, "--", "cat", "/var/lib/openshell/e2fsck.log")).OrFail().ShouldContain("repaired by a copy of its superblock");
        (await Gateway.RunAsync(TimeSpan.FromMinutes(3), [], "stop", "--name", Name)).OrFail();

        Break("half");
        var up = await Gateway.StartAsync("up", "--detach", "--name", Name);
        up.ExitCode.ShouldBe(1, up.ToString());
        up.Err.ShouldContain(Disk);
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private void Break(string damage)
    {
        using var file = File.OpenWrite(Disk);
        if (damage == "garbage")
            file.Write([.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 7))]);
        else
            file.SetLength(damage == "half" ? file.Length / 2 : 0);
    }

    /// <summary>As the guest would, who is not there.</summary>
    private async Task OverwriteAsync(string command) => (await HostProgram.RunAsync("qemu-io", ["-f", "qcow2", "-c", command, Disk], GatewayCli.Short)).OrFail();

    private static async Task ImgAsync(params string[] arguments) => (await HostProgram.RunAsync("qemu-img", arguments, GatewayCli.Short)).OrFail();
}

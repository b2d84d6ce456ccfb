using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>A cluster whose folder is on a small file system of the host's, which fills up while it runs; and then its own disk does. One start of a cluster of its own.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private const string Name = "full";

    /// <summary>An emulated cluster on a busy host; the kubelet waits for five minutes before it believes that there is room again.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(20);

    private readonly TestHome _home = new();
    private bool _mounted;

    private GatewayCli Gateway => new(_home);

    private Kubectl Kubectl => new(Path.Combine(_home.Home, ".kube", $"gateway-{Name}.yaml"), _home);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Requirements.SkipUnlessFull();
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        var mount = await HostProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=3g,mode=700", "tmpfs", _home.Data], GatewayCli.Short);
        if (mount.ExitCode != 0)
            Assert.Skip("a file system cannot be mounted here, which takes root: " + mount.Err.Trim());
        _mounted = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted)
        {
            await Gateway.RunAsync(TimeSpan.FromMinutes(3), [], "stop", "--force", "--name", Name);
            (await HostProgram.RunAsync("umount", [_home.Data], GatewayCli.Short)).OrFail();
        }

        _home.Dispose();
    }

    [Fact]
    public async Task A_full_disk_of_the_host_holds_the_machine_and_one_of_the_guest_stops_its_writers_until_there_is_room()
    {
        (await Gateway.StartAsync("up", "--detach", "--name", Name, "--distribution", "upstream", "--timeout", "30m")).OrFail();
        await Kubectl.RunAsync("create", "configmap", "memory", "--from-literal", "of=before");
        await HostFullAsync();
        (await Kubectl.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("before");
        await GuestFullAsync();
        (await Kubectl.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("before");
        (await Gateway.RunAsync(TimeSpan.FromMinutes(3), [], "stop", "--name", Name)).OrFail();
        (await HostProgram.RunAsync("qemu-img", ["check", "-q", Path.Combine(_home.Data, "openshell-vm", "instances", Name, "state.qcow2")], GatewayCli.Short)).OrFail();
        Leftovers.Of(_home).ShouldAllBe(left => left.StartsWith("mount ", StringComparison.Ordinal));
    }

    private async Task HostFullAsync()
    {
        var events = new InstanceEvents(Gateway, Name);
        var ballast = Path.Combine(_home.Data, "ballast");
        var (held, again) = (await events.CountAsync("disk.nearly-full"), await events.CountAsync("disk.room-again"));
        await Ballast.FillAsync(ballast);
        using var writer = Gateway.Start("exec", "--name", Name, "--", "sh", "-c", "cd /var/lib/openshell && dd if=/dev/urandom bs=1M count=200 status=none | tee big | sha256sum && sync big && echo 3 > /proc/sys/vm/drop_caches && sha256sum < big");
        var written = HostProgram.EndAsync(writer, Soon);

        // Held, it gets no processor time; and whoever asks is told why.
        var vmm = (await StatusAsync()).GetProperty("processes").GetProperty("vmm").GetProperty("pid").GetInt32();
        await Eventually.HoldsAsync("the machine is held", async () =>
        {
            // Whatever the logs gave back is filled again.
            await Ballast.FillAsync(ballast);
            var before = ProcessorTime(vmm);
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
            return ProcessorTime(vmm) == before;
        }, Soon);
        writer.HasExited.ShouldBeFalse();
        var host = (await StatusAsync()).GetProperty("disks").EnumerateArray().Single(disk => disk.GetProperty("where").GetString() == "host");
        (host.GetProperty("nearlyFull").GetBoolean(), host.GetProperty("freeBytes").GetInt64()).ShouldSatisfyAllConditions(d => d.Item1.ShouldBeTrue(), d => d.Item2.ShouldBeLessThan(1 << 20));
        (await Gateway.RunAsync("status", "--name", Name)).OrFail().ShouldContain("full");
        (await Gateway.RunAsync("list")).OrFail().ShouldContain(Name);

        File.Delete(ballast);
        (await events.NextAsync("disk.room-again", again, "the machine goes on")).ShouldContain("has room again");
        (await events.NextAsync("disk.nearly-full", held, "QEMU holds the machine")).ShouldContain(_home.Data);
        var sums = (await written).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        sums.Length.ShouldBe(2);
        sums[1].ShouldBe(sums[0]);
        await Eventually.HoldsAsync("the API server answers", async () => (await Kubectl.TryAsync("get", "--raw", "/readyz")).ExitCode == 0, Soon);
        (await ShellAsync("rm /var/lib/openshell/big; fstrim /var/lib/openshell")).OrFail();
    }

    private async Task GuestFullAsync()
    {
        var events = new InstanceEvents(Gateway, Name);
        var (full, again) = (await events.CountAsync("disk.nearly-full"), await events.CountAsync("disk.room-again"));

        // Without writing them: the host has room for none of it. 16 MiB stay free whatever is asked for (ext4 keeps up to 4096 blocks for itself), and that nothing more is taken is what dd finds.
        (await ShellAsync("cd /var/lib/openshell; fallocate -l $(stat -f -c '%f*%S-33554432' . | (IFS=*-; read a b c; echo $((a * b - c)))) ballast || exit 1; dd if=/dev/zero of=rest bs=4k status=none && exit 1; sync; df . | tail -1 >&2; test $(stat -f -c %f .) -le 4160")).OrFail();
        (await events.NextAsync("disk.nearly-full", full, "the guest's disk")).ShouldContain("gateway disk resize");
        (await Gateway.RunAsync("status", "--name", Name)).OrFail().ShouldContain("nearly full");

        // Whatever becomes of it meanwhile.
        for (var i = 0; i < 20; i++)
            await Kubectl.TryAsync("create", "configmap", $"during-{i}", $"--from-literal=of={new string('x', 100_000)}", "--request-timeout=10s");
        (await ShellAsync("rm /var/lib/openshell/ballast /var/lib/openshell/rest; sync")).OrFail();
        await events.NextAsync("disk.room-again", again, "the guest's disk");

        await Eventually.HoldsAsync("something new can be kept", async () => (await Kubectl.TryAsync("create", "configmap", "after", "--from-literal", "is=fine")).ExitCode == 0, Soon);
        await Eventually.HoldsAsync(
            "the gateway is ready",
            async () => (await Kubectl.TryAsync("get", "pods", "-n", "openshell", "--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")).Out == "True",
            Soon);
        (await StatusAsync()).GetProperty("phase").GetString().ShouldBe("ready");
    }

    /// <summary>Fields 14 and 15 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.</summary>
    private static string ProcessorTime(int pid) => File.ReadAllText($"/proc/{pid}/stat") is var stat ? string.Join(' ', stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[11..13]) : "";

    private Task<Finished> ShellAsync(string line) => Gateway.RunAsync("exec", "--name", Name, "--", "sh", "-c", line);

    private async Task<JsonElement> StatusAsync() => JsonSerializer.Deserialize<JsonElement>((await Gateway.RunAsync("status", "--name", Name, "--output", "json")).OrFail());
}

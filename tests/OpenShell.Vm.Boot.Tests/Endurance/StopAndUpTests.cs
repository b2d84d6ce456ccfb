using System.Globalization;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Boot.Tests.Endurance;

/// <summary>One instance, stopped and started many times: it comes up each time, loses nothing, and neither its disk nor its supervisor grows without bound.</summary>
public sealed class StopAndUpTests : IAsyncLifetime
{
    private const string Namespace = "default";
    private const string Pod = "db-0";
    private const long FileBytes = 1 << 20;

    private static readonly int Cycles = int.Parse(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_CYCLES") is { Length: > 0 } given ? given : "20", CultureInfo.InvariantCulture);

    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(5);

    private readonly EnduringCluster _cluster = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Many_stops_and_starts_lose_nothing_and_leave_nothing()
    {
        Requirements.SkipUnlessFull($"{Cycles} starts of a cluster take as many minutes: './test --full' makes them, OPENSHELL_VM_TEST_CYCLES says how many");
        await _cluster.RequireAsync();
        var sums = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var cycles = new List<Cycle>();
        for (var cycle = 0; cycle <= Cycles; cycle++)
        {
            await _cluster.StartAgainAsync();
            if (cycle == 0)
                await _cluster.Api.CreateAsync(Namespace, StorageConformance.StatefulSet("db", await _cluster.ImageAsync()));
            await ReadyAsync();
            (await SumsAsync()).ShouldBe(sums, $"what was written in {cycle} cycles");

            var file = string.Create(CultureInfo.InvariantCulture, $"/data/file-{cycle:0000}");
            await InPodAsync($"head -c {FileBytes} /dev/urandom > {file} && busybox sync");
            sums[file] = (await SumsAsync())[file];
            var status = await _cluster.StatusAsync();
            var pid = status.GetProperty("processes").GetProperty("supervisor").GetProperty("pid").GetInt32();
            var supervisor = ProcessMemory.Of(pid);
            var network = ProcessMemory.Of(status.GetProperty("processes").GetProperty("gvproxy").GetProperty("pid").GetInt32());

            if (cycle == Cycles)
                await StaysFlatAsync(pid);
            var content = await ContentAsync();
            (await _cluster.GatewayAsync("stop")).OrFail();
            Leftovers.Of(_cluster.Home).ShouldBeEmpty($"after stop {cycle}");
            var disk = (await new LocalInstances(new InstancesOptions { Directories = _cluster.Home.Directories }).DiskAsync(_cluster.Name, TestContext.Current.CancellationToken)).ShouldNotBeNull();
            cycles.Add(new Cycle(content with { Allocated = disk.Allocated, Used = disk.Used.ShouldNotBeNull() }, supervisor, network));
            Say(cycle, cycles[^1], status.GetProperty("readySeconds").GetDouble());
        }

        DiskGrowth.Excess([.. cycles.Select(cycle => cycle.Disk)]).ShouldBeEmpty("what the disk has taken on");

        // Memory that is its own: how much of the shared is counted depends on who else runs.
        cycles[^1].Supervisor.AnonymousBytes.ShouldBeLessThanOrEqualTo(cycles[1].Supervisor.AnonymousBytes * 3 / 2, "the supervisor's memory");
    }

    /// <summary>Each start has a supervisor of its own; what one that lives long piles up, it piles up by what it is asked.</summary>
    private async Task StaysFlatAsync(int supervisor)
    {
        await AskAsync();
        var first = ProcessMemory.Of(supervisor);
        for (var round = 0; round < 5; round++)
            await AskAsync();
        var last = ProcessMemory.Of(supervisor);
        Console.Out.WriteLine($"one supervisor that was asked 20 times: {first}; 120 times: {last}");
        last.AnonymousBytes.ShouldBeLessThanOrEqualTo(first.AnonymousBytes * 5 / 4, "the supervisor's memory");

        async Task AskAsync()
        {
            for (var i = 0; i < 10; i++)
            {
                (await _cluster.ExecAsync("--", "true")).OrFail();
                await _cluster.StatusAsync();
            }
        }
    }

    /// <summary>What is on the disk, by what it is. Files come and go meanwhile: du says so, and goes on.</summary>
    private async Task<DiskContent> ContentAsync()
    {
        string[] folders = [GuestPaths.State, GuestPaths.State + "/root/var/lib/etcd", GuestPaths.State + "/root/var/log", _cluster.Volumes];
        var sizes = (await _cluster.ShellAsync($"for folder in {string.Join(' ', folders)}; do du -skx $folder | cut -f1; done")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(size => long.Parse(size, CultureInfo.InvariantCulture) * 1024).ToArray();
        var (all, database, logs, volumes) = (sizes[0], sizes[1], sizes[2], sizes[3]);
        return new DiskContent(Allocated: 0, Used: 0, database, logs, volumes, all - database - logs - volumes);
    }

    private async Task ReadyAsync() => await Eventually.HoldsAsync(
        "the pod with the volume is ready, and of this start",
        async () => (await _cluster.Kubectl.In(Namespace).TryAsync("exec", Pod, "--", "true")).ExitCode == 0
            && (await _cluster.Api.TryGetAsync($"/api/v1/namespaces/{Namespace}/pods/{Pod}")).IsReady(),
        Soon);

    private async Task<SortedDictionary<string, string>> SumsAsync() => new(
        (await InPodAsync("for file in /data/file-*; do [ -e $file ] && busybox sha256sum $file; done; true")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(words => words[1], words => words[0]),
        StringComparer.Ordinal);

    private Task<string> InPodAsync(string script) => _cluster.Kubectl.In(Namespace).RunAsync("exec", Pod, "--", "sh", "-c", script);

    private static void Say(int number, Cycle cycle, double seconds) => Console.Out.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"cycle {number}: ready after {seconds:0.0} s; disk {cycle.Disk}; supervisor {cycle.Supervisor}; gvproxy {cycle.Network}"));

    private sealed record Cycle(DiskContent Disk, ProcessMemory Supervisor, ProcessMemory Network);
}

using System.Diagnostics;
using System.Globalization;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>Kubernetes from nothing to health in the guest of a first start, beside the same programs on the host itself, in a network namespace: what the machine around them costs.</summary>
internal sealed class ControlPlane : IBenchmark
{
    private const string Instance = "bench-plane";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5), Pause = TimeSpan.FromSeconds(1);

    private static readonly string[] Core = [EtcdService.Name, ApiServerService.Name];
    private static readonly string[] Plane = [.. Core, ControllerManagerService.Name, SchedulerService.Name];
    private static readonly string[] Whole = [.. Plane, ContainerdService.Name, KubeletService.Name, ProxyService.Name];

    public string Name => "control-plane";

    public string Title => "Kubernetes from nothing to health in the guest of a first start, beside the same programs on the host without a machine, in a network namespace";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        List<IReadOnlyDictionary<string, ServiceTime>> inGuest = [], onHost = [];
        for (var run = 1; run <= (context.Runs ?? 1); run++)
        {
            await using var cluster = new BenchCluster(context, Instance);
            await cluster.UpAsync();
            inGuest.Add(await InGuestAsync(context));
            context.Say($"  in the guest {run}: {Show(inGuest[^1])}");
        }

        var plan = (await context.Instances.PlanAsync(new InstanceConfig { Name = Instance })).Plan;
        var here = await HostCluster.UnpackAsync(plan.Disks.First(disk => disk.ReadOnly).Path, context.Home.In("plane"));
        var without = await TryNodeAsync(context, here);
        for (var run = 1; run <= (context.Runs ?? 5); run++)
        {
            onHost.Add(await here.RunAsync(withNode: without is null));
            context.Say($"  on the host {run}: {Show(onHost[^1])}");
        }

        foreach (var row in Rows(inGuest, onHost, without))
            yield return row;
    }

    /// <summary>What was measured.</summary>
    /// <param name="inGuest">Times of each start in a guest.</param>
    /// <param name="onHost">Times of each start on the host.</param>
    /// <param name="without">Why some did not run on the host.</param>
    internal static IReadOnlyList<Measurement> Rows(IReadOnlyList<IReadOnlyDictionary<string, ServiceTime>> inGuest, IReadOnlyList<IReadOnlyDictionary<string, ServiceTime>> onHost, string? without)
    {
        Measurement[] Pair(string what, string[] services)
        {
            var here = $"{what}: on the host, in a network namespace";
            var spans = Spans(onHost, services);
            return
            [
                new() { What = here, Samples = spans, Missing = spans.Length == 0 ? without : null },
                new() { What = $"{what}: in the guest", Samples = Spans(inGuest, services), Baseline = here },
            ];
        }

        return [.. Pair("etcd and kube-apiserver", Core), .. Pair("these, kube-controller-manager and kube-scheduler", Plane), .. Pair("these, containerd, kubelet and kube-proxy", Whole)];
    }

    private static double[] Spans(IEnumerable<IReadOnlyDictionary<string, ServiceTime>> runs, string[] services) =>
        [.. runs.Select(times => ServiceTimes.Span(times, services)).OfType<double>()];

    private static string Show(IReadOnlyDictionary<string, ServiceTime> times) =>
        string.Join(", ", times.OrderBy(service => service.Value.Healthy).Select(service => string.Create(CultureInfo.InvariantCulture, $"{service.Key} {service.Value.Start:0.0} to {service.Value.Healthy:0.0} s")));

    // Containers and hardened hosts refuse even root some of what a node needs; the control plane is still worth its numbers. Once before, so that the files are in memory.
    private static async Task<string?> TryNodeAsync(BenchContext context, HostCluster here)
    {
        if (HostCluster.WithoutNode is { } without)
            return without;
        try
        {
            await here.RunAsync(withNode: true);
            return null;
        }
        catch (BenchException problem)
        {
            context.Say($"  the node does not run on this host: {problem.Message}");
            return problem.Message.ReplaceLineEndings(" ").Trim();
        }
    }

    // Ready is earlier than some of them.
    private static async Task<IReadOnlyDictionary<string, ServiceTime>> InGuestAsync(BenchContext context)
    {
        var file = InstanceFiles.For(context.Home.Directories, InstanceName.Parse(Instance)).Timeline;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Limit; await Task.Delay(Pause))
        {
            var times = ServiceTimes.Of(TimelineFile.Read(file));
            if (ServiceTimes.Span(times, Whole) is not null)
                return times;
        }

        throw new BenchException($"The cluster's timeline does not say that all of {string.Join(", ", Whole)} became healthy: it is not upstream's distribution, or not well.");
    }
}

using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Tests;

/// <summary>Kubernetes without a machine, and its times beside those of a guest.</summary>
public sealed class HostClusterTests
{
    private static readonly string[] Both = ["etcd", "kube-apiserver"];
    private static readonly string[] Node = ["containerd", "kubelet", "kube-proxy"];

    [Fact]
    public void A_services_time_begins_when_it_was_started_and_not_when_it_began_to_wait()
    {
        TimelineEvent[] events =
        [
            Event("services/etcd", StageState.Started, 1), Event("services/kube-apiserver", StageState.Started, 1), Event("services/etcd", StageState.Started, 4), Event("workload", StageState.Started, 5),
            Event("services/kube-apiserver", StageState.Started, 5), Event("services/etcd", StageState.Completed, 6), Event("services/kube-apiserver", StageState.Completed, 15), Event("services/kubelet", StageState.Started, 16),
        ];

        var times = ServiceTimes.Of(events);

        times.ShouldBe(new Dictionary<string, ServiceTime> { ["etcd"] = new(4, 6), ["kube-apiserver"] = new(5, 15) }, ignoreOrder: true);
        ServiceTimes.Span(times, Both).ShouldBe(11);
        ServiceTimes.Span(times, [.. Both, "kubelet"]).ShouldBeNull();
    }

    [Fact]
    public void A_service_that_is_started_again_later_was_healthy_the_first_time() => ServiceTimes.Of(
    [
        Event("services/etcd", StageState.Started, 1), Event("services/etcd", StageState.Completed, 2), Event("services/etcd", StageState.Started, 60), Event("services/etcd", StageState.Completed, 61),
    ])["etcd"].ShouldBe(new ServiceTime(1, 2));

    [Fact]
    public void Times_that_are_written_are_read_again()
    {
        var times = new Dictionary<string, ServiceTime> { ["etcd"] = new(0.5, 1.25) };

        ServiceTimes.Read(ServiceTimes.Write(times)).ShouldBe(times);
        Should.Throw<BenchException>(() => ServiceTimes.Read("mount: permission denied"));
    }

    [Fact]
    public void Each_part_of_Kubernetes_stands_beside_the_same_without_a_machine()
    {
        Dictionary<string, ServiceTime> Times(double factor) => HostClusterInside.Services(new ClusterNode("n", null), withNode: true)
            .Select((service, i) => (service.Name, Time: new ServiceTime(0, (i + 1) * factor))).ToDictionary(pair => pair.Name, pair => pair.Time);

        var rows = ControlPlane.Rows([Times(10)], [Times(1), Times(1)], without: null);

        rows.Count.ShouldBe(6);
        rows.ShouldAllBe(row => row.Samples.Count > 0 && row.Missing == null);
        rows.Select(row => Figures.Peer(row, rows)).ShouldAllBe(text => text.StartsWith("10.00x", StringComparison.Ordinal) || text.StartsWith("0.10x", StringComparison.Ordinal));
    }

    [Fact]
    public void What_does_not_run_on_the_host_says_why_and_the_rest_has_its_numbers()
    {
        var onHost = HostClusterInside.Services(new ClusterNode("n", null), withNode: false).ToDictionary(service => service.Name, _ => new ServiceTime(0, 1));

        var rows = ControlPlane.Rows([], [onHost], "it needs root");

        rows.Where(row => row.Samples.Count > 0).Select(row => row.Missing).ShouldBe([null, null]);
        Figures.Peer(rows[^2], rows).ShouldBe("not measured: it needs root");
    }

    [Fact]
    public void An_ordinary_user_is_root_of_the_namespaces_and_runs_no_node()
    {
        string.Join(' ', HostCluster.Arguments(privileged: false, withNode: false, "/bin/bench", "/t/root", "/t/state")).ShouldBe(
            "--user --map-root-user --net --mount --pid --ipc --uts --fork --kill-child /bin/sh /bin/bench/Benchmarks/host-cluster.sh /t/root /t/state 192.168.127.2 control-plane "
            + "/bin/bench/OpenShell.Vm.Bench __host-cluster /t/root control-plane");
        HostCluster.Arguments(privileged: true, withNode: true, "/bin/bench", "/t/root", "/t/state").ShouldNotContain("--user");
    }

    [Fact]
    public void The_command_lines_are_the_guests_own_and_the_kubelet_makes_no_control_groups()
    {
        var services = HostClusterInside.Services(new ClusterNode("n", "192.168.127.2"), withNode: true);

        services.Select(service => service.Name).ShouldBe(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", .. Node]);
        services.Single(service => service.Name == "etcd").Command[0].ShouldBe("/usr/bin/etcd");
        services.Single(service => service.Name == "kubelet").Command.ShouldContain("--cgroups-per-qos=false");
        HostClusterInside.Services(new ClusterNode("n", null), withNode: false).Select(service => service.Name).ShouldNotContain(name => Node.Contains(name));
    }

    [Fact]
    public void Every_file_that_a_command_line_names_is_written()
    {
        var root = Directory.CreateTempSubdirectory("ovb-").FullName;
        try
        {
            var node = new ClusterNode("n", "192.168.127.2");
            HostClusterFiles.Write(root, node);

            var named = HostClusterInside.Services(node, withNode: true).SelectMany(service => service.Command.Skip(1)).SelectMany(word => word.Split('=')).Where(word => word.StartsWith("/etc/", StringComparison.Ordinal)
                || word.StartsWith("/run/openshell/cluster/", StringComparison.Ordinal) || word.StartsWith("/var/lib/openshell/", StringComparison.Ordinal)).Distinct().ToList();
            named.Count.ShouldBeGreaterThan(15);
            named.ShouldAllBe(path => File.Exists(root + path));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>The kubelet of a version as old as the guest's belongs on nobody's host without being asked for: only where the variable names a root image.</summary>
    [Fact(Timeout = 600_000)]
    public async Task All_of_it_becomes_healthy_without_a_machine_and_leaves_nothing()
    {
        const string Variable = "OPENSHELL_VM_TEST_HOST_CLUSTER";
        var image = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(image is null, $"{Variable} names no root image (root.squashfs in the image cache) whose Kubernetes is to be run on this host.");
        Assert.SkipWhen(HostCluster.WithoutNode is not null, HostCluster.WithoutNode ?? "");
        var folder = Directory.CreateTempSubdirectory("ovb-");
        try
        {
            var before = (Mounts(), Tunables());
            var cluster = await HostCluster.UnpackAsync(image!, folder.FullName);

            var plane = await cluster.RunAsync(withNode: false);
            var all = await cluster.RunAsync(withNode: true);

            plane.Count.ShouldBe(4);
            all.Keys.ShouldBe([.. plane.Keys, .. Node], ignoreOrder: true);
            all.Values.ShouldAllBe(time => time.Healthy > time.Start);
            all["kube-controller-manager"].Start.ShouldBeGreaterThanOrEqualTo(all["kube-apiserver"].Healthy);
            (Mounts(), Tunables()).ShouldBe(before);
            Directory.Exists(Path.Combine(folder.FullName, "state")).ShouldBeFalse();
            Directory.EnumerateDirectories("/proc").Select(CommandLine).ShouldNotContain(line => line.Contains(folder.FullName, StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Mounts() => File.ReadAllText("/proc/self/mounts");

    // What the kubelet would set.
    private static string Tunables() => string.Concat(((string[])["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"]).Select(name => File.ReadAllText("/proc/sys/" + name)));

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            // No process, or one that has ended.
            return "";
        }
    }

    private static TimelineEvent Event(string stage, StageState state, double seconds) =>
        new() { Stage = stage, State = state, At = DateTimeOffset.UnixEpoch, Elapsed = TimeSpan.FromSeconds(seconds) };
}

using OpenShell.Vm.Boot.Tests.Cluster;
using OpenShell.Vm.Boot.Tests.K3s;
using OpenShell.Vm.Boot.Tests.Running;

// The same tests on whichever distribution is there. A new class of them needs a line below each.
namespace OpenShell.Vm.Boot.Tests.Conformance.OnUpstream
{
    [Collection(SharedCluster.Name)]
    public sealed class Workloads(ClusterFixture cluster) : WorkloadConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Names(ClusterFixture cluster) : NameConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Storage(ClusterFixture cluster) : StorageConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Networks(ClusterFixture cluster) : NetworkConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Access(ClusterFixture cluster) : AccessConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Images(ClusterFixture cluster) : ImageConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Recovery(ClusterFixture cluster) : RecoveryConformance(cluster);

    [Collection(SharedCluster.Name)]
    public sealed class Restarts(ClusterFixture cluster) : RestartConformance(cluster)
    {
        private const string Gateway = "localhost/openshell-gateway:", Ctr = "ctr --address /run/containerd/containerd.sock --namespace k8s.io images";

        /// <summary>As the kubelet deletes it where the disk is full: by all names. The gateway's pod is told never to fetch it, so that the cluster would not be ready again without it.</summary>
        private protected override async Task BeforeStopAsync()
        {
            await Cluster.ShellAsync($$"""{{Ctr}} ls > /run/images; d=$(awk 'index($1, "{{Gateway}}") == 1 { print $3 }' /run/images); {{Ctr}} rm $(awk -v d=$d '$3 == d { print $1 }' /run/images)""");
            (await Cluster.ShellAsync(Ctr + " ls -q")).ShouldNotContain(Gateway);
        }

        private protected override async Task AfterStartAsync()
        {
            (await Cluster.ShellAsync(Ctr + " ls -q")).ShouldContain(Gateway);

            // What the disk has is not made again, and the timeline says so.
            var stages = (await Cluster.StatusAsync()).GetProperty("stages").EnumerateArray()
                .ToDictionary(stage => stage.GetProperty("stage").GetString()!, stage => $"{stage.GetProperty("state").GetString()}: {(stage.TryGetProperty("detail", out var detail) ? detail.GetString() : "")}");
            stages["init/disk"].ShouldBe("completed: clean");
            stages["init/certificates"].ShouldStartWith("skipped");
            stages["init/trial"].ShouldStartWith("skipped");
            stages["workload/manifests"].ShouldStartWith("skipped");
            stages["workload/images"].ShouldStartWith("completed: 1 of ", Case.Sensitive, "the one that was deleted");
        }
    }

    [Collection(SharedCluster.Name)]
    public sealed class PythonClient(ClusterFixture cluster) : PythonClientConformance(cluster);
}

namespace OpenShell.Vm.Boot.Tests.Conformance.OnStandIn
{
    [Collection(StandInCluster.Name)]
    public sealed class Workloads(StandInFixture cluster) : WorkloadConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Names(StandInFixture cluster) : NameConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Storage(StandInFixture cluster) : StorageConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Networks(StandInFixture cluster) : NetworkConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Access(StandInFixture cluster) : AccessConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Images(StandInFixture cluster) : ImageConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Recovery(StandInFixture cluster) : RecoveryConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class Restarts(StandInFixture cluster) : RestartConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    [Collection(StandInCluster.Name)]
    public sealed class PythonClient(StandInFixture cluster) : PythonClientConformance(cluster)
    {
        public override ValueTask InitializeAsync() => AlsoHere.OnlyInFullAsync(base.InitializeAsync);
    }

    /// <summary>What upstream's cluster is asked in each run, and the stand-in where there is time.</summary>
    internal static class AlsoHere
    {
        public static ValueTask OnlyInFullAsync(Func<ValueTask> initialize)
        {
            Requirements.SkipUnlessFull("upstream's cluster is asked the same: './test --full' asks the stand-in of k3s too");
            return initialize();
        }
    }
}

namespace OpenShell.Vm.Boot.Tests.Conformance.OnK3s
{
    [Collection(RealK3sCluster.Name)]
    public sealed class Workloads(RealK3sFixture cluster) : WorkloadConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Names(RealK3sFixture cluster) : NameConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Storage(RealK3sFixture cluster) : StorageConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Networks(RealK3sFixture cluster) : NetworkConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Access(RealK3sFixture cluster) : AccessConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Images(RealK3sFixture cluster) : ImageConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Recovery(RealK3sFixture cluster) : RecoveryConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class Restarts(RealK3sFixture cluster) : RestartConformance(cluster);

    [Collection(RealK3sCluster.Name)]
    public sealed class PythonClient(RealK3sFixture cluster) : PythonClientConformance(cluster);
}

using OpenShell.Vm.Boot.Tests.Conformance;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>A test in a namespace of its own on the shared cluster of upstream's.</summary>
[Collection(SharedCluster.Name)]
public abstract class NamespaceTest(ClusterFixture cluster) : ConformanceTest(cluster);

using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>
/// The cluster's database. It listens on Unix sockets in a folder of root's: a pod on the guest's network cannot reach them, so that there is nothing to
/// authenticate; and the API server, which opens one connection per kind of object, one after the other, is spared some seventy TLS handshakes.
/// Every commit reaches the disk (no <c>--unsafe-no-fsync</c>).
/// </summary>
internal static class EtcdService
{
    /// <summary>Its name.</summary>
    public const string Name = "etcd";

    // etcd 3.4 wants host:port even for unix URLs, and makes a file of that name in its working directory.
    private const string Clients = "unix://localhost:2379", Peers = "unix://localhost:2380";

    /// <summary>What is run.</summary>
    public static Service Describe() => new()
    {
        Name = Name,
        Command =
        [
            "/usr/bin/etcd",
            "--name=default",
            "--data-dir=/var/lib/etcd/data",
            "--listen-client-urls=" + Clients,
            "--advertise-client-urls=" + Clients,
            "--listen-peer-urls=" + Peers,
            "--initial-advertise-peer-urls=" + Peers,
            "--initial-cluster=default=" + Peers,
            "--logger=zap",
            "--log-level=warn",
        ],
        WorkingDirectory = ClusterLayout.EtcdFolder,
        Sockets = [ClusterLayout.EtcdFolder + "/localhost:2379", ClusterLayout.EtcdFolder + "/localhost:2380"],
        Conditions = [new Condition.Done(Milestone.StateDisk)],
        Health = new HealthCheck.UnixHttp(ClusterLayout.EtcdSocket, "/health"),
        CpuWeight = 1000,
        StopOrder = 80,
    };
}

using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Addresses, ports and paths of the cluster, each once.</summary>
internal static class ClusterLayout
{
    /// <summary>Addresses of pods.</summary>
    public const string PodNetwork = "10.42.0.0/16";

    /// <summary>Those of this node: what the controller manager gives the first node.</summary>
    public const string NodePodNetwork = "10.42.0.0/24";

    /// <summary>Addresses of Services.</summary>
    public const string ServiceNetwork = "10.43.0.0/16";

    /// <summary>The first of them: the Service <c>kubernetes</c>.</summary>
    public const string ApiServiceAddress = "10.43.0.1";

    /// <summary>The API server, on every address of the guest.</summary>
    public const int ApiPort = 6443;

    /// <summary>The API server as everything in the guest reaches it.</summary>
    public const string ApiServer = "https://127.0.0.1:6443";

    /// <summary>The API front. Not next to the API server's port, which is k3s's own for the API server behind it.</summary>
    public const int FrontPort = 6440;

    /// <summary>What the API front shows and whom it lets in; and who it is to the API server. Both as <see cref="OpenShell.Vm.Pki.ServingFolder"/> lays them.</summary>
    public const string FrontOwn = GuestPaths.Run + "/api-front/own", FrontCluster = GuestPaths.Run + "/api-front/cluster";

    /// <summary>What the gateway's pod shows and whom it lets in, as <see cref="OpenShell.Vm.Pki.ServingFolder"/> lays it: a volume of images/manifests/30-stateful-set.yaml.</summary>
    public const string GatewayTls = GuestPaths.Run + "/gateway-tls";

    /// <summary>The group of the gateway's pod, in the same manifest.</summary>
    public const int GatewayGroup = 65532;

    /// <summary>Health of components, plain HTTP on loopback; Kubernetes' own numbers.</summary>
    public const int KubeletHealthPort = 10248, ProxyHealthPort = 10256;

    /// <summary>Health of components, HTTPS on loopback; Kubernetes' own numbers.</summary>
    public const int ControllerManagerPort = 10257, SchedulerPort = 10259;

    /// <summary>What PID 1 writes for the components at every boot.</summary>
    public const string Configuration = GuestPaths.Run + "/cluster";

    /// <summary>Kubeconfigs of components and, as elsewhere, <c>admin.conf</c>.</summary>
    public const string Kubeconfigs = "/etc/kubernetes";

    /// <summary>Folder of Kubernetes' programs.</summary>
    public static readonly string Programs = Path.GetDirectoryName(GuestPaths.Kubernetes)!;

    /// <summary>The database's sockets; etcd names the file by host and port of its URL.</summary>
    public const string EtcdFolder = GuestPaths.Run + "/etcd", EtcdSocket = EtcdFolder + "/localhost:2379";

    /// <summary>containerd's socket.</summary>
    public const string ContainerdSocket = "/run/containerd/containerd.sock";

    /// <summary>A component's kubeconfig.</summary>
    public static string KubeconfigOf(string component) => $"{Kubeconfigs}/{component}.conf";

    /// <summary>A certificate's file.</summary>
    public static string Certificate(string name) => $"{StateLayout.Pki}/{name}.crt";

    /// <summary>A key's file.</summary>
    public static string Key(string name) => $"{StateLayout.Pki}/{name}.key";
}

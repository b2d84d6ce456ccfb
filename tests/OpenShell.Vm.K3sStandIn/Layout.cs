namespace OpenShell.Vm.K3sStandIn;

/// <summary>k3s's paths (https://docs.k3s.io/cli/server and the pages about air-gap, packaged components and cluster access).</summary>
internal sealed class Layout(string data)
{
    public const string Kubeconfig = "/etc/rancher/k3s/k3s.yaml", Run = "/run/k3s", ContainerdSocket = Run + "/containerd/containerd.sock", CniPrograms = "/opt/cni/bin", Dns = Run + "/dns";

    public string Unpacked => data + "/data";

    public string Current => Unpacked + "/current";

    public string Tls => data + "/server/tls";

    public string Credentials => data + "/server/cred";

    public string Manifests => data + "/server/manifests";

    public string Charts => data + "/server/static/charts";

    public string Token => data + "/server/token";

    public string Database => data + "/server/db/state.db";

    /// <summary>Not k3s's: the stand-in's data are in etcd.</summary>
    public string Etcd => data + "/server/db/etcd";

    /// <summary>Volumes of the class local-path: https://docs.k3s.io/storage#setting-up-the-local-storage-provider</summary>
    public string Storage => data + "/storage";

    public string Images => data + "/agent/images";

    public string Containerd => data + "/agent/containerd";

    public string AgentConfiguration => data + "/agent/etc";

    public string Logs => data + "/agent/logs";
}

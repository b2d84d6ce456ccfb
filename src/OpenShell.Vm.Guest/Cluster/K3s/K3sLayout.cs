using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>Where k3s has what. All of it is k3s's own choice: https://docs.k3s.io/cli/server, https://docs.k3s.io/installation/packaged-components, https://docs.k3s.io/installation/airgap</summary>
/// <param name="root">What stands before every path: empty in a guest, a folder in tests.</param>
internal sealed class K3sLayout(string root = "")
{
    /// <summary>The program.</summary>
    public const string Program = "/usr/local/bin/k3s";

    /// <summary>Its data directory, on the state disk.</summary>
    public const string Data = "/var/lib/rancher";

    /// <summary>Its configuration: the administrator's kubeconfig, and the password by which the cluster knows this node again. On the state disk, too.</summary>
    public const string Configuration = "/etc/rancher";

    /// <summary>Where containerd looks for CNI programs where it is told nothing else, as k3s tells it nothing without flannel (pkg/agent/templates).</summary>
    public const string CniPrograms = "/opt/cni/bin";

    /// <summary>Of this guest, in tests a folder.</summary>
    public static K3sLayout Guest { get; } = new();

    /// <summary>The administrator's kubeconfig.</summary>
    public string Kubeconfig => root + Configuration + "/k3s/k3s.yaml";

    /// <summary>Where container images are pulled from.</summary>
    public string Registries => root + Configuration + "/k3s/registries.yaml";

    /// <summary>The server's half of the data directory.</summary>
    public string Server => root + Data + "/k3s/server";

    /// <summary>The agent's half of the data directory.</summary>
    public string Agent => root + Data + "/k3s/agent";

    /// <summary>Manifests here are applied, at the start and when they change.</summary>
    public string Manifests => Server + "/manifests";

    /// <summary>Charts here are served to HelmChart resources as <c>https://%{KUBERNETES_API}%/static/charts/NAME</c>.</summary>
    public string Charts => Server + "/static/charts";

    /// <summary>Image archives here are imported, at the start and when they come.</summary>
    public string Images => Agent + "/images";

    /// <summary>The cluster's database: SQLite behind kine.</summary>
    public string Database => Server + "/db/state.db";

    /// <summary>The password file of former versions, which k3s makes anew.</summary>
    public string NodePasswords => Server + "/cred/node-passwd";

    /// <summary>containerd's root.</summary>
    public string Containerd => Agent + "/containerd";

    /// <summary>What k3s unpacks: <c>HASH/bin</c>, and <c>current</c>, a link to it.</summary>
    public string Unpacked => root + Data + "/k3s/data";

    /// <summary>A path that is not k3s's.</summary>
    public string Of(string path) => root + path;

    /// <summary>Folders of the user's own on the state disk: archives and charts, beside <see cref="StateLayout.Manifests"/>.</summary>
    public const string UserImages = Protocol.GuestPaths.State + "/images", UserCharts = Protocol.GuestPaths.State + "/charts";

    /// <summary>Charts of the image.</summary>
    public const string ImageCharts = Protocol.GuestPaths.Share + "/charts";
}

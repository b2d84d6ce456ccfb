using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Where a machine's own credentials are put, for those who serve with them, for the host, and for the next boot.</summary>
/// <param name="root">What stands before every path: empty in a guest, a folder in tests.</param>
/// <param name="gatewayGroup">The group of the gateway's pod; 0: files stay with their owner.</param>
internal sealed class CredentialPlaces(string root = "", int gatewayGroup = ClusterLayout.GatewayGroup)
{
    /// <summary>Of this guest.</summary>
    public static CredentialPlaces Guest { get; } = new();

    /// <inheritdoc cref="ClusterLayout.GatewayGroup"/>
    public int GatewayGroup => gatewayGroup;

    /// <inheritdoc cref="ClusterLayout.GatewayTls"/>
    public string GatewayTls => Of(ClusterLayout.GatewayTls);

    /// <inheritdoc cref="ClusterLayout.FrontOwn"/>
    public string FrontOwn => Of(ClusterLayout.FrontOwn);

    /// <inheritdoc cref="ClusterLayout.FrontOwn"/>
    public string FrontCluster => Of(ClusterLayout.FrontCluster);

    /// <summary>The state disk.</summary>
    public string State => Of(GuestPaths.State);

    /// <summary>Where programs look for the machine id; machine-id(5).</summary>
    public string MachineId => Of("/etc/machine-id");

    /// <summary>The same for any path.</summary>
    public string Of(string path) => root + path;
}

using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>
/// busybox' DHCP client. The address is configured by then (the host's forwards point at it); the lease keeps gvproxy's table right and brings name
/// servers. It starts when the API server answers, since nothing waits for it and every program that starts earlier makes the cluster later.
/// </summary>
internal static class DhcpService
{
    /// <summary>The hook: this program under another name.</summary>
    public const string Hook = GuestPaths.Run + "/bin/" + DhcpHook.Name;

    /// <summary>What is run.</summary>
    /// <param name="api">The service that is, or holds, the API server.</param>
    public static Service Describe(string api) => new()
    {
        Name = "dhcp",
        Command = ["/bin/busybox", "udhcpc", "-f", "-i", NetworkSetup.Interface, "-s", Hook, "-t", "3", "-T", "2", "-A", "60"],
        Conditions = [new Condition.Healthy(api)],
        StopOrder = 5,
        StopPatience = TimeSpan.FromSeconds(1),
    };
}

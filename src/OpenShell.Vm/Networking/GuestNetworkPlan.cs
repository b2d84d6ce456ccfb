namespace OpenShell.Vm.Networking;

/// <summary>The addresses of the user-space network: gvproxy's defaults (https://github.com/containers/gvisor-tap-vsock), which its command line cannot change.</summary>
public static class GuestNetworkPlan
{
    /// <summary>The guest, by a static DHCP lease for <see cref="GuestMac"/>.</summary>
    public const string GuestAddress = "192.168.127.2";

    /// <summary>The guest with its network's prefix length.</summary>
    public const string GuestAddressWithPrefix = GuestAddress + "/24";

    /// <summary>The MAC address for which gvproxy holds the lease of <see cref="GuestAddress"/>.</summary>
    public const string GuestMac = "5a:94:ef:e4:0c:ee";

    /// <summary>gvproxy itself: router, name server, and, on port 80, its own control API.</summary>
    public const string Gateway = "192.168.127.1";

    /// <summary>gvproxy's control API as the guest sees it: who reaches it can open ports on the host.</summary>
    public const string ControlApi = Gateway + ":80";

    /// <summary>The host's 127.0.0.1 as the guest sees it.</summary>
    public const string HostLoopback = "192.168.127.254";

    /// <summary>The MTU of gvproxy's network stack, in bytes.</summary>
    public const int Mtu = 1500;

    /// <summary>Port of the API server in the guest.</summary>
    public const int ApiServerPort = 6443;

    /// <summary>NodePort of the gateway in the guest, and the host port of the instance <c>default</c>.</summary>
    public const int GatewayPort = 30051;
}

using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>Names, addresses and files of the cluster's name service, each once.</summary>
internal static class DnsLayout
{
    /// <summary>The cluster's domain, and that of its Services.</summary>
    public const string Domain = "cluster.local", ServiceDomain = "svc." + Domain;

    /// <summary>Where pods ask: the cluster address of the Service <see cref="ServiceName"/>. k3s' too. https://docs.k3s.io/cli/server (--cluster-dns)</summary>
    public const string ServiceAddress = "10.43.0.10";

    /// <summary>The Service by which everybody knows a cluster's name server, whatever program it is.</summary>
    public const string ServiceName = "kube-dns", ServiceNamespace = "kube-system";

    /// <summary>
    /// Where dnsmasq listens: an address of the guest's own, on its loopback interface. Endpoints may not be in 127.0.0.0/8, and the address of eth0 is what the host's
    /// forwards point at. In the pod network, which is not masqueraded and not routed elsewhere, and in none of the /24 that a node gets before the 255th.
    /// </summary>
    public const string Address = "10.42.255.53";

    /// <summary>The loopback interface under the name of its second address (netdevice(7)).</summary>
    public const string Interface = "lo:dns";

    /// <summary>The name server's port, and that of the second one, which has the records that are only read at a start.</summary>
    public const int Port = 53, RecordsPort = 5354;

    /// <summary>Everything that both read.</summary>
    public const string Folder = GuestPaths.Run + "/dns";

    /// <summary>What they are started with.</summary>
    public const string Configuration = Folder + "/dnsmasq.conf", RecordsConfiguration = Folder + "/records.conf";

    /// <summary>Folder of the names that are followed while dnsmasq runs; and of those that only the second one has.</summary>
    public const string Hosts = Folder + "/hosts", OutsideHosts = Folder + "/outside";

    /// <summary>Which domains the first asks the second about: read again on SIGHUP.</summary>
    public const string Servers = Folder + "/servers";

    /// <summary>SRV records: read at the start of the second.</summary>
    public const string Records = Folder + "/srv.conf";
}

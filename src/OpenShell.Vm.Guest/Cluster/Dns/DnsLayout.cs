namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>Names and addresses of the cluster's name service, each once.</summary>
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
}

using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>One argument of <c>k3s server</c>, with its reason.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="Value"><see langword="null"/>: it takes none.</param>
/// <param name="Why">Why it is given.</param>
internal sealed record K3sFlag(string Name, string? Value, string Why)
{
    /// <inheritdoc/>
    public override string ToString() => Value is null ? Name : $"{Name}={Value}";
}

/// <summary>
/// How k3s is started: https://docs.k3s.io/cli/server. The choice is that of the original (crates/openshell-vm/scripts/openshell-vm-init.sh of NVIDIA's OpenShell), but
/// for: the pause image, which is ours; disk eviction, which the original switched off since its disk was a share of the host's; the kubeconfig's mode; and the API
/// server's own port, 6444, which stays on loopback, since k3s listens for it on 6443.
/// </summary>
internal static class K3sFlags
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<K3sFlag> For(ClusterNode node, ClusterNames names)
    {
        var flags = new List<K3sFlag>
        {
            new("--disable", "traefik,servicelb,metrics-server", "no ingress and no load balancer: the gateway is a NodePort; 'kubectl top' is not worth a pod"),
            new("--disable-network-policy", null, "its controller works with flannel's interfaces and iptables; NetworkPolicy is documented as not enforced"),
            new("--flannel-backend", "none", "one node needs no overlay: the pod network is the bridge of " + CniConfiguration.File),
            new("--node-name", node.Name, "the guest's host name, said here so that nothing has to be looked up"),
            new("--write-kubeconfig-mode", "600", "only root reads it; the host gets a copy over the agent"),
            new("--resolv-conf", "/etc/resolv.conf", "the names that gvproxy serves, for pods too"),
            new("--tls-san", string.Join(',', Names(node, names)), "every name and address by which the API server is called, through forwards too"),
            new("--snapshotter", "overlayfs", "the state disk is ext4: no probing of others"),
            new("--pause-image", "localhost/pause:1", "the root image brings it along; k3s's own would be pulled where there is no air-gap archive"),
            new("--kube-proxy-arg", "proxy-mode=nftables", "the kernel's own packet filter: k3s's bundled iptables and small kernels disagree about xt_MARK"),
            new("--kube-proxy-arg", "nodeport-addresses=0.0.0.0/0", "in nftables mode only the node's first address serves NodePorts unless told"),
            new("--kubelet-arg", "eviction-hard=memory.available<100Mi,nodefs.available<5%,nodefs.inodesFree<5%,imagefs.available<5%", "the state disk is the user's to fill"),
            new("--kubelet-arg", "eviction-minimum-reclaim=imagefs.available=1%,nodefs.available=1%", "k3s's 10 % would throw away more than what is short"),
            new("--kubelet-arg", "image-gc-high-threshold=100", "never: images come from archives, which are not imported again while k3s runs"),
            new("--kubelet-arg", "image-gc-low-threshold=99", "must be below the other"),
            new("--kubelet-arg", "runtime-request-timeout=10m", "the first container of a large image waits for its layers, emulated longer than the 2 minutes that are usual"),
        };
        if (node.Address is { } address)
            flags.Add(new("--node-ip", address, "the one address that gvproxy gave; the host's forwards lead there"));
        return flags;
    }

    private static IEnumerable<string> Names(ClusterNode node, ClusterNames names) =>
        new[] { "localhost", "127.0.0.1", node.Name, node.Address }.OfType<string>().Concat(names.Further).Distinct(StringComparer.OrdinalIgnoreCase);
}

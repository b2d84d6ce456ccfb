using OpenShell.Vm.Guest.Boot;

namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>What a cluster needs of the kernel.</summary>
internal static class ClusterCapabilities
{
    /// <summary>All of it.</summary>
    public static IReadOnlyList<Capability> All { get; } =
    [
        new("CONFIG_OVERLAY_FS", "container layers", Evidence.FileSystem, "overlay"),
        new("CONFIG_EXT4_FS", "the state disk", Evidence.FileSystem, "ext4"),
        new("CONFIG_POSIX_MQUEUE", "containers", Evidence.FileSystem, "mqueue"),
        new("CONFIG_NET_NS", "pods", Evidence.Path, "/proc/self/ns/net"),
        new("CONFIG_PID_NS", "pods", Evidence.Path, "/proc/self/ns/pid"),
        new("CONFIG_IPC_NS", "pods", Evidence.Path, "/proc/self/ns/ipc"),
        new("CONFIG_UTS_NS", "pods", Evidence.Path, "/proc/self/ns/uts"),
        new("CONFIG_SECCOMP_FILTER", "containers", Evidence.Path, "/proc/sys/kernel/seccomp/actions_avail"),
        new("CONFIG_BPF_SYSCALL", "device rules of containers (cgroup v2)", Evidence.Path, "/proc/sys/kernel/unprivileged_bpf_disabled"),
        .. Cgroups.Controllers.Where(c => c.Controller is not "hugetlb").Select(c => new Capability(c.Option, "limits of pods", Evidence.Controller, c.Controller)),
        new("CONFIG_BRIDGE", "the pod network", Evidence.Module, "bridge"),
        new("CONFIG_BRIDGE_NETFILTER", "Services between pods", Evidence.Module, "br_netfilter"),
        new("CONFIG_VETH", "the pod network", Evidence.Module, "veth"),
        new("CONFIG_NF_CONNTRACK", "Services", Evidence.Module, "nf_conntrack"),
        new("CONFIG_NF_NAT", "Services", Evidence.Module, "nf_nat"),
        new("CONFIG_NF_TABLES", "the packet filter", Evidence.Module, "nf_tables"),
        new("CONFIG_NFT_COMPAT", "kube-proxy (iptables-nft)", Evidence.Module, "nft_compat"),
        new("CONFIG_NFT_REJECT_INET", "closing the host's ports", Evidence.Module, "nft_reject_inet"),
        new("CONFIG_NETFILTER_XT_MATCH_COMMENT", "kube-proxy", Evidence.Module, "xt_comment"),
        new("CONFIG_NETFILTER_XT_MARK", "kube-proxy", Evidence.Module, "xt_mark"),
        new("CONFIG_NETFILTER_XT_MATCH_CONNTRACK", "kube-proxy", Evidence.Module, "xt_conntrack"),
        new("CONFIG_NETFILTER_XT_MATCH_ADDRTYPE", "kube-proxy (NodePorts)", Evidence.Module, "xt_addrtype"),
        new("CONFIG_NETFILTER_XT_MATCH_STATISTIC", "kube-proxy (several endpoints)", Evidence.Module, "xt_statistic"),
        new("CONFIG_NETFILTER_XT_MATCH_RECENT", "kube-proxy (session affinity)", Evidence.Module, "xt_recent"),
        new("CONFIG_NETFILTER_XT_NAT", "kube-proxy", Evidence.Module, "xt_nat"),
        new("CONFIG_NETFILTER_XT_TARGET_MASQUERADE", "kube-proxy, the pod network", Evidence.Module, "xt_MASQUERADE"),
    ];
}

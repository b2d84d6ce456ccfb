using static OpenShell.Vm.Kernels.KernelCapabilities;

namespace OpenShell.Vm.Kernels;

/// <summary>iptables in both its flavours (over nftables, and its own old tables), IPVS, sets, and the tracking of connections.</summary>
internal static class IptablesCapabilities
{
    // What kube-proxy writes in its iptables mode, and the CNI plugins bridge and portmap.
    private static readonly (string Name, string Options, string Rule)[] Rules =
    [
        ("comment", "NETFILTER_XT_MATCH_COMMENT", "-A FORWARD -m comment --comment x -j ACCEPT"),
        ("conntrack", "NETFILTER_XT_MATCH_CONNTRACK", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ("mark", "NETFILTER_XT_MARK", "-t nat -A OUTPUT -m mark ! --mark 0x4000/0x4000 -j MARK --set-xmark 0x4000/0x4000"),
        ("addrtype", "NETFILTER_XT_MATCH_ADDRTYPE", "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j RETURN"),
        ("statistic", "NETFILTER_XT_MATCH_STATISTIC", "-t nat -A PREROUTING -m statistic --mode random --probability 0.5 -j RETURN"),
        ("recent", "NETFILTER_XT_MATCH_RECENT", "-t nat -A PREROUTING -m recent --name S --rcheck --seconds 10800 --reap -j RETURN"),
        ("multiport", "NETFILTER_XT_MATCH_MULTIPORT", "-t nat -A PREROUTING -p tcp -m multiport --dports 80,443 -j RETURN"),
        ("dnat", "NETFILTER_XT_NAT", "-t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.42.0.2:8080"),
        ("masquerade", "NETFILTER_XT_TARGET_MASQUERADE", "-t nat -A POSTROUTING -j MASQUERADE --random-fully"),
        ("reject", "IP_NF_TARGET_REJECT", "-A FORWARD -j REJECT --reject-with icmp-port-unreachable"),
        ("limit-log", "NETFILTER_XT_MATCH_LIMIT NETFILTER_XT_TARGET_LOG", "-A FORWARD -m limit --limit 5/s -j LOG"),
    ];

    public static IReadOnlyList<KernelCapability> All { get; } =
    [
        .. Rules.Select(r => Required("iptables-nft-" + r.Name, "kube-proxy, CNI plugins", "NFT_COMPAT " + r.Options, "iptables-nft " + r.Rule)),
        .. Rules.Select(r => Required("iptables-legacy-" + r.Name, "images that bring the old iptables", "IP_NF_IPTABLES " + r.Options, "iptables-legacy " + r.Rule)),
        Required("ip6tables", "pods", "IP6_NF_IPTABLES IP6_NF_FILTER IP6_NF_NAT", "ip6tables-nft -A FORWARD -m comment --comment x -j ACCEPT; ip6tables-legacy -t nat -A POSTROUTING -j MASQUERADE"),
        Required("conntrack", "kube-proxy forgets connections to endpoints that are gone", "NF_CT_NETLINK", "conntrack -L; conntrack -D -p udp --dport 9 || :"),
        Optional("iptables-set", "network policies of k3s", "IP_SET NETFILTER_XT_SET IP_SET_HASH_IP IP_SET_HASH_NET", "modprobe -qa xt_set ip_set_hash_ip || :; iptables-legacy -L > out; grep -qx set /proc/net/ip_tables_matches"),
        Optional("iptables-tproxy", "transparent proxies", "NETFILTER_XT_TARGET_TPROXY NETFILTER_XT_MATCH_SOCKET", "iptables-legacy -t mangle -A PREROUTING -p tcp -m socket -j ACCEPT; iptables-legacy -t mangle -A PREROUTING -p tcp -j TPROXY --on-port 8080 --tproxy-mark 1"),
        Optional("ipvs", "kube-proxy's third mode", "IP_VS IP_VS_RR NETFILTER_XT_MATCH_IPVS", "modprobe -qa ip_vs ip_vs_rr || :; test -e /proc/net/ip_vs; iptables-legacy -A FORWARD -m ipvs --ipvs -j ACCEPT"),
    ];
}

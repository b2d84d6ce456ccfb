using static OpenShell.Vm.Kernels.KernelCapabilities;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// nftables: every kind of statement, expression and set that kube-proxy writes in its nftables mode (alpha in Kubernetes 1.29, stable in 1.33;
/// pkg/proxy/nftables/proxier.go at v1.29.0 and v1.33.0), and what the guest's own firewall uses.
/// </summary>
internal static class NftablesCapabilities
{
    public static IReadOnlyList<KernelCapability> All { get; } =
    [
        Nft("chains", "NF_TABLES NF_TABLES_IPV4 NF_TABLES_IPV6", "base chains of both families", "add chain ip t a { type filter hook prerouting priority -110; }; add table ip6 t; add chain ip6 t f { type filter hook forward priority 0; }"),
        Nft("nat-chains", "NF_NAT NFT_NAT", "nat chains", "add chain ip t n { type nat hook prerouting priority -100; }; add chain ip t o { type nat hook output priority -100; }; add chain ip t p { type nat hook postrouting priority 100; }"),
        Nft("ct-state", "NFT_CT NF_CONNTRACK", "new connections only", "add rule ip t f ct state new jump j"),
        Nft("verdict-map", "NF_TABLES", "dispatch by address, protocol and port", "add map ip t m { type ipv4_addr . inet_proto . inet_service : verdict; }; add element ip t m { 10.96.0.1 . tcp . 443 : goto j }; add rule ip t f ip daddr . meta l4proto . th dport vmap @m"),
        Nft("interval-set", "NF_TABLES", "source ranges of load balancers", "add set ip t s { type ipv4_addr; flags interval; }; add element ip t s { 203.0.113.0/25 }; add rule ip t f ip saddr != @s drop; add rule ip t f ip daddr { 172.30.0.0/16 } drop"),
        Nft("comments", "NF_TABLES", "names on sets and chains", "add set ip t s { type ipv4_addr; comment \"Active ClusterIPs\"; }; add rule ip t f ip daddr @s drop comment \"unallocated\""),
        Nft("numgen", "NFT_NUMGEN", "the choice of an endpoint", "add rule ip t f numgen random mod 2 vmap { 0 : goto j, 1 : goto k }"),
        Nft("dnat", "NFT_NAT", "Services", "add rule ip t n meta l4proto tcp dnat to 10.42.0.2:8080"),
        Nft("masquerade", "NFT_MASQ", "Services from outside of the pod network", "add rule ip t p masquerade fully-random"),
        Nft("mark", "NF_TABLES", "what is to be masqueraded", "add rule ip t f mark set mark or 0x4000; add rule ip t f mark and 0x4000 == 0 return; add rule ip t f mark set mark xor 0x4000"),
        Nft("fib", "NFT_FIB_INET NFT_FIB_IPV4 NFT_FIB_IPV6", "NodePorts", "add rule ip t i fib daddr type local ip daddr != 127.0.0.0/8 jump j; add rule ip t i fib saddr type local jump k"),
        Nft("reject", "NFT_REJECT NFT_REJECT_INET", "Services without endpoints", "add rule ip t f reject; add table inet u; add chain inet u c { type filter hook input priority 0; }; add rule inet u c reject with tcp reset"),
        Nft("affinity", "NF_TABLES", "session affinity", "add set ip t s { type ipv4_addr; flags dynamic,timeout; timeout 3h; }; add rule ip t f update @s { ip saddr }; add rule ip t f ip saddr @s goto j"),
        Nft("inet", "NF_TABLES_INET", "the guest's firewall", "add table inet u; add chain inet u c { type filter hook input priority 0; policy accept; }; add rule inet u c ct state established,related accept"),
        Nft("limit-log", "NFT_LIMIT NFT_LOG", "the guest's firewall", "add rule ip t f limit rate 5/second log prefix \"x\" accept"),
        Maybe("flowtable", "NF_FLOW_TABLE NF_FLOW_TABLE_INET NFT_FLOW_OFFLOAD", "fast paths for long connections", "add flowtable ip t x { hook ingress priority 0; devices = { lo }; }; add rule ip t f flow add @x"),
        Maybe("connlimit", "NFT_CONNLIMIT", "limits of connections", "add rule ip t f ct count over 10 drop"),
        Maybe("quota", "NFT_QUOTA", "limits of volume", "add rule ip t f quota over 1 mbytes drop"),
        Maybe("hash", "NFT_HASH", "choices that stay", "add rule ip t f jhash ip saddr mod 2 vmap { 0 : goto j, 1 : goto k }"),
        Maybe("redirect", "NFT_REDIR", "proxies", "add rule ip t n meta l4proto tcp redirect to :8080"),
        Maybe("tproxy", "NFT_TPROXY NFT_SOCKET", "transparent proxies", "add chain ip t a { type filter hook prerouting priority -150; }; add rule ip t a meta l4proto tcp tproxy to :8080; add rule ip t a socket transparent 1 accept"),
        Maybe("netdev", "NF_TABLES_NETDEV", "filters at an interface", "add table netdev v; add chain netdev v c { type filter hook ingress device lo priority 0; }"),
        Maybe("bridge", "NF_TABLES_BRIDGE NFT_BRIDGE_META NFT_BRIDGE_REJECT", "filters at a bridge", "add table bridge v; add chain bridge v c { type filter hook input priority 0; }; add rule bridge v c meta ibrname \"b\" accept; add rule bridge v c reject"),
    ];

    private static KernelCapability Nft(string name, string options, string purpose, string rules) => Required("nft-" + name, purpose, options, Load(rules));

    private static KernelCapability Maybe(string name, string options, string purpose, string rules) => Optional("nft-" + name, purpose, options, Load(rules));

    // Every test finds the same table: chains of each hook, and two to jump to.
    private static string Load(string rules) => "cat > r <<'END'\n"
        + "add table ip t { comment \"rules\"; }; add chain ip t j; add chain ip t k\n"
        + "add chain ip t f { type filter hook forward priority 0; }; add chain ip t i { type filter hook input priority 0; }\n"
        + "add chain ip t n { type nat hook prerouting priority -100; }; add chain ip t p { type nat hook postrouting priority 100; }\n"
        + rules + "\nEND\nnft -f r";
}

using static OpenShell.Vm.Kernels.KernelCapabilities;

namespace OpenShell.Vm.Kernels;

/// <summary>Network interfaces, routing and traffic control.</summary>
internal static class LinkCapabilities
{
    public static IReadOnlyList<KernelCapability> All { get; } =
    [
        Required("veth", "the pod network", "VETH", "ip link add name va type veth peer name vb"),
        Required("bridge", "the pod network", "BRIDGE", "ip link add name br type bridge"),
        Required("bridge-netfilter", "Services between pods of a node", "BRIDGE_NETFILTER", "ip link add name br type bridge; modprobe -q br_netfilter || :; test -e /proc/sys/net/bridge/bridge-nf-call-iptables"),
        Required("vxlan", "pod networks over several nodes (flannel)", "VXLAN", "ip link add name vx type vxlan id 1 dstport 8472 dev lo"),
        Required("policy-routing", "pod networks", "IP_ADVANCED_ROUTER IP_MULTIPLE_TABLES", "ip rule add from 10.9.9.9 table 100"),
        Required("ipv6", "pods", "IPV6", "ip link set lo up; ip -6 address add fd00::1/64 dev lo"),
        Optional("bridge-vlan", "VLANs on a bridge", "BRIDGE_VLAN_FILTERING", "ip link add name br type bridge vlan_filtering 1"),
        Optional("dummy", "addresses of Services in IPVS mode", "DUMMY", "ip link add name du type dummy"),
        Optional("macvlan", "the CNI plugin of that name", "MACVLAN", "ip link add name va type veth peer name vb; ip link add name mv link va type macvlan mode bridge"),
        Optional("ipvlan", "the CNI plugin of that name", "IPVLAN", "ip link add name va type veth peer name vb; ip link add name iv link va type ipvlan mode l2"),
        Optional("vlan", "the CNI plugin of that name", "VLAN_8021Q", "ip link add name va type veth peer name vb; ip link add name vl link va type vlan id 5"),
        Optional("geneve", "other pod networks", "GENEVE", "ip link add name ge type geneve id 1 remote 192.0.2.1"),
        Optional("ipip", "other pod networks", "NET_IPIP", "ip tunnel add t mode ipip remote 192.0.2.1"),
        Optional("wireguard", "encrypted pod networks", "WIREGUARD", "ip link add name wg type wireguard"),
        Optional("vrf", "the CNI plugin of that name", "NET_VRF", "ip link add name vr type vrf table 10"),
        Optional("tun", "VPNs in pods", "TUN", "modprobe -q tun || :; ip tuntap add t mode tun"),
        Optional("ifb", "limits of incoming traffic (CNI bandwidth)", "IFB", "ip link add name ifb type ifb"),
        Required("tc-tbf", "limits of traffic (CNI bandwidth)", "NET_SCH_TBF", Shaped("tc qdisc add dev va root tbf rate 1mbit burst 32kbit latency 50ms")),
        Optional("tc-ingress", "limits of incoming traffic (CNI bandwidth)", "NET_SCH_INGRESS NET_CLS_U32 NET_ACT_MIRRED", Shaped("tc qdisc add dev va ingress; tc filter add dev va parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev vb")),
        Optional("tc-htb", "shares of traffic", "NET_SCH_HTB", Shaped("tc qdisc add dev va root handle 1: htb default 10; tc class add dev va parent 1: classid 1:10 htb rate 1mbit")),
        Optional("tc-fq-codel", "fair queues", "NET_SCH_FQ_CODEL", Shaped("tc qdisc add dev va root fq_codel")),
        Optional("tc-netem", "tests of bad networks", "NET_SCH_NETEM", Shaped("tc qdisc add dev va root netem delay 10ms")),
    ];

    private static string Shaped(string then) => "ip link add name va type veth peer name vb; ip link set va up; " + then;
}

using System.Text;

namespace OpenShell.Vm.Boot.Tests.Kernels;

/// <summary>
/// A node with two pods and a client outside of it, and rules of the kinds that kube-proxy's nftables mode writes, all of them (enumerated from
/// pkg/proxy/nftables/proxier.go of Kubernetes at v1.29.0 and v1.33.0): dispatch by maps of verdicts, a random choice of endpoints, DNAT, masquerading by mark,
/// hairpins, NodePorts by address and by fib, session affinity, source ranges, local traffic policy, services without endpoints, unallocated addresses.
/// </summary>
internal static class ServiceRules
{
    /// <summary>What the script prints.</summary>
    public static readonly IReadOnlyList<string> Expected =
    [
        "cluster IP from the node: a b",
        "cluster IP from a pod, itself included: a b",
        "node port from outside: a b",
        "node port, masqueraded: yes",
        "node port with local policy, not masqueraded: yes",
        "affinity: 1 endpoint",
        "source range, outside: blocked",
        "source range, inside: a",
        "no endpoints: refused",
        "unallocated: blocked",
        "wrong port of a cluster IP: refused",
    ];

    /// <summary>For a shell in a machine without a network of its own.</summary>
    public static byte[] Script => Encoding.UTF8.GetBytes(Network + "nft -f - <<'END'\n" + Rules + "END\n" + Traffic);

    private const string Network = """
        PATH=/usr/sbin:/usr/bin:/sbin:/bin
        echo 1 > /proc/sys/net/ipv4/ip_forward
        join() { # NAMESPACE ADDRESS GATEWAY
          ip netns add $1
          ip link add to-$1 type veth peer name eth0 netns $1
          ip address add $3/24 dev to-$1
          ip link set to-$1 up
          ip -n $1 address add $2/24 dev eth0
          ip -n $1 link set eth0 up
          ip -n $1 link set lo up
          ip -n $1 route add default via $3
        }
        join a 10.42.1.2 10.42.1.1
        join b 10.42.2.2 10.42.2.1
        join client 203.0.113.200 203.0.113.1
        # The way to everywhere else: without one, the node's own packets to a Service have no route.
        ip link add name up0 type dummy
        ip address add 198.51.100.1/24 dev up0
        ip link set up0 up
        ip route add default via 198.51.100.2
        ip link set lo up
        for pod in a b; do
          mkdir -p /tmp/$pod
          echo $pod > /tmp/$pod/index.html
          ip netns exec $pod busybox httpd -p 8080 -h /tmp/$pod
        done

        """;

    private const string Rules = """
        add table ip kube-proxy { comment "rules for services"; }
        add set ip kube-proxy cluster-ips { type ipv4_addr; comment "allocated addresses"; }
        add set ip kube-proxy nodeport-ips { type ipv4_addr; comment "addresses of the node"; }
        add map ip kube-proxy no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; }
        add map ip kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
        add map ip kube-proxy firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
        add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
        add map ip kube-proxy service-nodeports { type inet_proto . inet_service : verdict; }
        add set ip kube-proxy affinity-a { type ipv4_addr; flags dynamic,timeout; timeout 10800s; }
        add set ip kube-proxy affinity-b { type ipv4_addr; flags dynamic,timeout; timeout 10800s; }

        add chain ip kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110; }
        add chain ip kube-proxy filter-output-pre-dnat { type filter hook output priority -110; }
        add chain ip kube-proxy filter-input { type filter hook input priority 0; }
        add chain ip kube-proxy filter-forward { type filter hook forward priority 0; }
        add chain ip kube-proxy filter-output { type filter hook output priority 0; }
        add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100; }
        add chain ip kube-proxy nat-output { type nat hook output priority -100; }
        add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100; }
        add chain ip kube-proxy services
        add chain ip kube-proxy mark-for-masquerade
        add chain ip kube-proxy masquerading
        add chain ip kube-proxy reject-chain { comment "for the maps, which hold only jumps"; }
        add chain ip kube-proxy service-endpoints-check
        add chain ip kube-proxy nodeport-endpoints-check
        add chain ip kube-proxy cluster-ips-check
        add chain ip kube-proxy firewall-check
        add chain ip kube-proxy service-web
        add chain ip kube-proxy external-web
        add chain ip kube-proxy external-local
        add chain ip kube-proxy service-sticky
        add chain ip kube-proxy service-guarded
        add chain ip kube-proxy firewall-guarded
        add chain ip kube-proxy endpoint-web-a
        add chain ip kube-proxy endpoint-web-b
        add chain ip kube-proxy endpoint-sticky-a
        add chain ip kube-proxy endpoint-sticky-b

        add rule ip kube-proxy filter-prerouting-pre-dnat ct state new jump firewall-check
        add rule ip kube-proxy filter-output-pre-dnat ct state new jump firewall-check
        add rule ip kube-proxy filter-input ct state new jump nodeport-endpoints-check
        add rule ip kube-proxy filter-input ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-forward ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-forward ct state new jump cluster-ips-check
        add rule ip kube-proxy filter-output ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-output ct state new jump cluster-ips-check
        add rule ip kube-proxy nat-prerouting jump services
        add rule ip kube-proxy nat-output jump services
        add rule ip kube-proxy nat-postrouting jump masquerading

        add rule ip kube-proxy firewall-check ip daddr . meta l4proto . th dport vmap @firewall-ips
        add rule ip kube-proxy service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services
        add rule ip kube-proxy nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
        add rule ip kube-proxy nodeport-endpoints-check fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports
        add rule ip kube-proxy cluster-ips-check ip daddr @cluster-ips reject comment "no such port"
        add rule ip kube-proxy cluster-ips-check ip daddr { 10.96.0.0/12 } drop comment "no such service"
        add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips
        add rule ip kube-proxy services ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
        add rule ip kube-proxy services fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports
        add rule ip kube-proxy mark-for-masquerade mark set mark or 0x4000
        add rule ip kube-proxy masquerading mark and 0x4000 == 0 return
        add rule ip kube-proxy masquerading mark set mark xor 0x4000
        add rule ip kube-proxy masquerading masquerade fully-random
        add rule ip kube-proxy reject-chain reject

        add rule ip kube-proxy service-web ip daddr 10.96.0.10 meta l4proto tcp th dport 80 ip saddr != 10.42.0.0/16 jump mark-for-masquerade
        add rule ip kube-proxy service-web numgen random mod 2 vmap { 0 : goto endpoint-web-a, 1 : goto endpoint-web-b }
        add rule ip kube-proxy external-web jump mark-for-masquerade
        add rule ip kube-proxy external-web goto service-web
        add rule ip kube-proxy external-local ip saddr 10.42.0.0/16 goto service-web comment "short-circuit pod traffic"
        add rule ip kube-proxy external-local fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
        add rule ip kube-proxy external-local fib saddr type local goto service-web comment "short-circuit local traffic"
        add rule ip kube-proxy external-local numgen random mod 1 vmap { 0 : goto endpoint-web-a }
        add rule ip kube-proxy service-sticky ip saddr @affinity-a goto endpoint-sticky-a
        add rule ip kube-proxy service-sticky ip saddr @affinity-b goto endpoint-sticky-b
        add rule ip kube-proxy service-sticky numgen random mod 2 vmap { 0 : goto endpoint-sticky-a, 1 : goto endpoint-sticky-b }
        add rule ip kube-proxy service-guarded numgen random mod 1 vmap { 0 : goto endpoint-web-a }
        add rule ip kube-proxy firewall-guarded ip saddr != { 10.42.2.0/24 } drop
        add rule ip kube-proxy endpoint-web-a ip saddr 10.42.1.2 jump mark-for-masquerade
        add rule ip kube-proxy endpoint-web-a meta l4proto tcp dnat to 10.42.1.2:8080
        add rule ip kube-proxy endpoint-web-b ip saddr 10.42.2.2 jump mark-for-masquerade
        add rule ip kube-proxy endpoint-web-b meta l4proto tcp dnat to 10.42.2.2:8080
        add rule ip kube-proxy endpoint-sticky-a update @affinity-a { ip saddr }
        add rule ip kube-proxy endpoint-sticky-a meta l4proto tcp dnat to 10.42.1.2:8080
        add rule ip kube-proxy endpoint-sticky-b update @affinity-b { ip saddr }
        add rule ip kube-proxy endpoint-sticky-b meta l4proto tcp dnat to 10.42.2.2:8080

        add element ip kube-proxy nodeport-ips { 203.0.113.1 }
        add element ip kube-proxy cluster-ips { 10.96.0.10, 10.96.0.11, 10.96.0.12, 10.96.0.13 }
        add element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 : goto service-web, 10.96.0.12 . tcp . 80 : goto service-sticky, 10.96.0.13 . tcp . 80 : goto service-guarded }
        add element ip kube-proxy service-nodeports { tcp . 30080 : goto external-web, tcp . 30081 : goto external-local }
        add element ip kube-proxy no-endpoint-services { 10.96.0.11 . tcp . 80 comment "web" : goto reject-chain }
        add element ip kube-proxy no-endpoint-nodeports { tcp . 30082 comment "web" : drop }
        add element ip kube-proxy firewall-ips { 10.96.0.13 . tcp . 80 comment "guarded" : goto firewall-guarded }

        """;

    private const string Traffic = """
        get() { timeout 5 bash -c 'exec 3<>/dev/tcp/${0%:*}/${0#*:}; printf "GET / HTTP/1.0\r\n\r\n" >&3; tail -n 1 <&3' $1; }
        from() { ip netns exec $1 timeout 5 bash -c 'exec 3<>/dev/tcp/${0%:*}/${0#*:}; printf "GET / HTTP/1.0\r\n\r\n" >&3; tail -n 1 <&3' $2; }
        many() { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "$@"; done | sort -u | paste -s -d ' '; }
        refused() { # a reset or an ICMP error comes at once; what is dropped runs into the time limit
          if said=$(from client $1 2>&1); then echo answered; return; fi
          case $said in *refused*|*unreachable*|*"No route"*) echo refused ;; *) echo blocked ;; esac
        }
        tracked() { conntrack -L -p tcp --orig-port-dst $1 2> /dev/null | grep -v UNREPLIED | head -n 1; }

        echo "cluster IP from the node: $(many get 10.96.0.10:80)"
        echo "cluster IP from a pod, itself included: $(many from a 10.96.0.10:80)"
        echo "node port from outside: $(many from client 203.0.113.1:30080)"
        case $(tracked 30080) in "") echo "node port: nothing is tracked" ;; *"dst=203.0.113.200 "*) echo "node port, masqueraded: no" ;; *) echo "node port, masqueraded: yes" ;; esac
        from client 203.0.113.1:30081 > /dev/null
        case $(tracked 30081) in *"src=10.42.1.2 dst=203.0.113.200 "*) echo "node port with local policy, not masqueraded: yes" ;; *) tracked 30081 ;; esac
        echo "affinity: $(many from client 10.96.0.12:80 | wc -w) endpoint"
        echo "source range, outside: $(refused 10.96.0.13:80)"
        echo "source range, inside: $(from b 10.96.0.13:80)"
        echo "no endpoints: $(refused 10.96.0.11:80)"
        echo "unallocated: $(refused 10.96.0.99:80)"
        echo "wrong port of a cluster IP: $(refused 10.96.0.10:81)"
        """;
}

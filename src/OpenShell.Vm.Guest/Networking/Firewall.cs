using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// Closes what nothing in the guest may reach, for pods and for programs on the guest's own network alike. A table of its own: kube-proxy only
/// touches its own chains, and a packet that any table rejects is rejected, whatever others accept. The chains come after address translation,
/// so a Service that points at a closed address is closed too. A root container of a pod on the guest's own network may write whole frames
/// (AF_PACKET with CAP_NET_RAW), which pass none of those hooks; the interface's egress hook sees them too, even past the queueing discipline
/// (Linux 5.16, Documentation/networking/netdevices: nf_hook_direct_egress in net/packet/af_packet.c).
/// It also gives packets of pods that leave the pod network the guest's address, as the CNI plugin would.
/// </summary>
internal static class Firewall
{
    private const string RulesFile = GuestPaths.Run + "/firewall.nft";

    /// <summary>Loads the rules; replaces those of before as one step.</summary>
    /// <exception cref="GuestFaultException">They cannot be loaded: then nothing may start that could reach what is closed.</exception>
    public static async Task LoadAsync(Tool tool, IReadOnlyList<string> closed, IReadOnlyList<string> open, bool apiFront)
    {
        await File.WriteAllTextAsync(RulesFile, Rules(closed, open, apiFront)).ConfigureAwait(false);
        var result = await tool.RunAsync("nft", TimeSpan.FromMinutes(1), "/usr/sbin/nft", "--file", RulesFile).ConfigureAwait(false);
        if (!result.IsSuccess)
        {
            throw new GuestFaultException(
                "guest.firewall", $"the packet filter could not be loaded: {result}.", "The kernel needs CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_REJECT_INET and CONFIG_NFT_REDIR, built in or in modules.list.");
        }
    }

    /// <summary>The rules, as nft(8) reads them.</summary>
    /// <param name="closed">IPv4 addresses, or addresses with a port: <c>192.168.127.254</c>, <c>192.168.127.1:80</c>.</param>
    /// <param name="open">Addresses with a TCP port that stay open although they are among the closed: <c>192.168.127.254:3128</c>.</param>
    /// <param name="apiFront">Whether who calls the API server from outside of the machine comes to the API front instead. By what the API server itself listens on, from outside, nobody reaches it then.</param>
    /// <exception cref="GuestFaultException">An entry is neither.</exception>
    public static string Rules(IReadOnlyList<string> closed, IReadOnlyList<string> open, bool apiFront = false)
    {
        var rules = new StringBuilder();
        var frames = new StringBuilder();
        foreach (var (address, port) in open.Select(Parse))
        {
            var rule = $"    ip daddr {address} tcp dport {port} accept\n";
            rules.Append(rule);
            frames.Append(rule);
        }

        foreach (var entry in closed)
        {
            var (address, port) = Parse(entry);
            var tcp = port is null ? $"    ip daddr {address} meta l4proto tcp counter" : $"    ip daddr {address} tcp dport {port} counter";
            var other = port is null ? $"    ip daddr {address} counter" : $"    ip daddr {address} udp dport {port} counter";

            // A reset tells a TCP client at once; others get "administratively prohibited".
            rules.Append(tcp).Append(" reject with tcp reset\n");
            rules.Append(other).Append(" reject with icmpx type admin-prohibited\n");
            frames.Append(tcp).Append(" drop\n");
            frames.Append(other).Append(" drop\n");

            // The ports are in a datagram's first fragment only, and a later one may be made to overlap it.
            if (port is not null)
                frames.Append("    ip daddr ").Append(address).Append(" ip frag-off & 0x1fff != 0 counter drop\n");
        }

        // What gvproxy would dial as it is written: these addresses are the host's loopback there.
        frames.Append("    ip daddr { 0.0.0.0/8, 127.0.0.0/8 } counter drop\n");

        // Before kube-proxy's own translation (dstnat, -100): what was translated once is not translated again.
        var front = !apiFront ? "" : $$"""

              chain front {
                type nat hook prerouting priority dstnat - 10; policy accept;
                iifname "{{NetworkSetup.Interface}}" tcp dport {{ClusterLayout.ApiPort}} redirect to :{{ClusterLayout.FrontPort}}
              }
            """;

        // The cluster's name server is for the cluster: nothing that comes from the network reaches it, by whatever Service or forward.
        // "add" before "delete" makes the deletion valid when there is no such table yet. Priority filter = 0: after dstnat (-100) on the way out and before forwarding.
        return $$"""
            add table inet openshell
            delete table inet openshell
            table inet openshell {
              chain closed {
            {{rules.ToString().TrimEnd('\n')}}
              }
              chain forward {
                type filter hook forward priority filter; policy accept;
                jump closed
              }
              chain output {
                type filter hook output priority filter; policy accept;
                jump closed
              }
              chain arriving {
                type filter hook input priority filter; policy accept;
                iifname "{{NetworkSetup.Interface}}" ip daddr {{DnsLayout.Address}} counter drop
              }
              chain leaving {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr {{ClusterLayout.PodNetwork}} ip daddr != {{ClusterLayout.PodNetwork}} masquerade
              }{{front}}
            }
            add table netdev openshell
            delete table netdev openshell
            table netdev openshell {
              chain frames {
                type filter hook egress device "{{NetworkSetup.Interface}}" priority filter; policy accept;
            {{frames.ToString().TrimEnd('\n')}}
              }
            }

            """;
    }

    private static (IPAddress Address, int? Port) Parse(string entry)
    {
        if (IPAddress.TryParse(entry, out var address) && address.AddressFamily == AddressFamily.InterNetwork)
            return (address, null);
        if (IPEndPoint.TryParse(entry, out var point) && point.AddressFamily == AddressFamily.InterNetwork && point.Port > 0)
            return (point.Address, point.Port);
        throw new GuestFaultException("guest.network-config", $"'{entry}' is neither an IPv4 address nor one with a port.", "This is a defect of the host's side; please report it.");
    }
}

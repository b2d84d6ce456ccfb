using OpenShell.Vm.Guest.Networking;

namespace OpenShell.Vm.Guest.Tests.Networking;

public sealed class FirewallTests
{
    private static readonly string Rules = Firewall.Rules(["192.168.127.254", "192.168.127.1:80"], []);

    [Fact]
    public void The_rules_for_an_address_and_a_port_are_these() => Rules.ShouldBe("""
        add table inet openshell
        delete table inet openshell
        table inet openshell {
          chain closed {
            ip daddr 192.168.127.254 meta l4proto tcp counter reject with tcp reset
            ip daddr 192.168.127.254 counter reject with icmpx type admin-prohibited
            ip daddr 192.168.127.1 tcp dport 80 counter reject with tcp reset
            ip daddr 192.168.127.1 udp dport 80 counter reject with icmpx type admin-prohibited
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
            iifname "eth0" ip daddr 10.42.255.53 counter drop
          }
          chain leaving {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr 10.42.0.0/16 ip daddr != 10.42.0.0/16 masquerade
          }
        }
        add table netdev openshell
        delete table netdev openshell
        table netdev openshell {
          chain frames {
            type filter hook egress device "eth0" priority filter; policy accept;
            ip daddr 192.168.127.254 meta l4proto tcp counter drop
            ip daddr 192.168.127.254 counter drop
            ip daddr 192.168.127.1 tcp dport 80 counter drop
            ip daddr 192.168.127.1 udp dport 80 counter drop
            ip daddr 192.168.127.1 ip frag-off & 0x1fff != 0 counter drop
            ip daddr { 0.0.0.0/8, 127.0.0.0/8 } counter drop
          }
        }

        """);

    [Fact]
    public void With_an_API_front_callers_from_outside_come_to_it_and_all_else_is_the_same()
    {
        var rules = Firewall.Rules(["192.168.127.254", "192.168.127.1:80"], [], apiFront: true);

        const string Front = """

              chain front {
                type nat hook prerouting priority dstnat - 10; policy accept;
                iifname "eth0" tcp dport 6443 redirect to :6440
              }
            """;
        rules.ShouldContain(Front);
        rules.Replace(Front, "", StringComparison.Ordinal).ShouldBe(Rules);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_real_nft_accepts_them(bool apiFront)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("rules"), Firewall.Rules(["192.168.127.254", "192.168.127.1:80"], [], apiFront));
        var (code, output) = Command.Run("nft", "--check", "--file", folder.File("rules"));
        if (output.Contains("Operation not", StringComparison.Ordinal) || output.Contains("netlink", StringComparison.Ordinal) || output.Contains("cache init", StringComparison.OrdinalIgnoreCase))
            Assert.Skip("no right to, or no nf_tables in, this kernel: " + output);
        code.ShouldBe(0, output);
    }

    [Fact]
    public void What_is_open_comes_before_what_is_closed_for_packets_and_for_frames()
    {
        var rules = Firewall.Rules(["192.168.127.254"], ["192.168.127.254:3128"]);

        rules.ShouldContain("chain closed {\n    ip daddr 192.168.127.254 tcp dport 3128 accept\n    ip daddr 192.168.127.254 meta l4proto tcp counter reject");
        rules.ShouldContain("policy accept;\n    ip daddr 192.168.127.254 tcp dport 3128 accept\n    ip daddr 192.168.127.254 meta l4proto tcp counter drop");
    }

    [Fact]
    public void With_nothing_closed_pods_still_reach_the_world() => Firewall.Rules([], []).ShouldContain("masquerade");

    [Theory]
    [InlineData("example.org")]
    [InlineData("192.168.127.1:0")]
    [InlineData("192.168.127.1:99999")]
    [InlineData("fe80::1")]
    [InlineData("192.168.127.254; accept")]
    public void Anything_else_is_refused_and_never_reaches_nft(string entry) =>
        Should.Throw<GuestFaultException>(() => Firewall.Rules([entry], [])).Fault.Code.ShouldBe("guest.network-config");
}

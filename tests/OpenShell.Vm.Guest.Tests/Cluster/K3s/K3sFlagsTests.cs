using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

public sealed class K3sFlagsTests
{
    private static readonly ClusterNode Node = new("gw", "192.168.127.2");
    private static readonly ClusterNames Names = new() { NodeName = "gw", NodeAddress = "192.168.127.2", ApiServiceAddress = "10.43.0.1", GatewayName = "g", Further = ["host.example", "localhost"] };

    [Fact]
    public void Every_flag_says_why_it_is_given() => K3sFlags.For(Node, Names).ShouldAllBe(f => f.Why.Length > 20 && f.Name.StartsWith("--", StringComparison.Ordinal));

    [Fact]
    public void The_command_line_is_the_originals()
    {
        var command = K3sService.Describe(Node, Names).Command;

        command.Take(2).ShouldBe(["/usr/local/bin/k3s", "server"]);
        foreach (var argument in (string[])[
            "--disable=traefik,servicelb,metrics-server", "--disable-network-policy", "--flannel-backend=none", "--snapshotter=overlayfs", "--node-ip=192.168.127.2",
            "--kube-proxy-arg=proxy-mode=nftables", "--kube-proxy-arg=nodeport-addresses=0.0.0.0/0", "--resolv-conf=/etc/resolv.conf",
            "--tls-san=localhost,127.0.0.1,gw,192.168.127.2,host.example", "--kubelet-arg=image-gc-high-threshold=100", "--kubelet-arg=runtime-request-timeout=10m"])
        {
            command.ShouldContain(argument);
        }
    }

    [Fact]
    public void Without_a_network_no_address_is_claimed() =>
        K3sFlags.For(new ClusterNode("gw", null), Names with { NodeAddress = null }).ShouldNotContain(f => f.Name == "--node-ip");

    [Fact]
    public void No_pod_starts_before_the_firewall_and_none_is_killed_with_k3s()
    {
        var service = K3sService.Describe(Node, Names);

        service.Conditions.ShouldContain(new Condition.Done(Milestone.Firewall));
        service.LeavesProcesses.ShouldBeTrue();
        // Pods are ended at 50: before that nothing may be left that would start them again.
        service.StopOrder.ShouldBeLessThan(50);
    }

    [Fact]
    public void The_services_have_no_mistakes() => ServiceGraph.Check(new K3sDistribution().Services(Node, Names));

    [Fact]
    public void Only_the_gateways_certificates_are_made_here() =>
        new K3sDistribution().Certificates(Names).Select(p => p.Name).ShouldBe([ClusterCertificates.GatewayCa, ClusterCertificates.GatewayServer, ClusterCertificates.GatewayClient]);
}

using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class ComponentTests
{
    private static readonly IReadOnlyList<Service> Services = UpstreamDistribution.Services(new ClusterNode("gw", "192.168.127.2"));

    [Fact]
    public void Nobody_is_anonymous()
    {
        Named("kube-apiserver").Command.ShouldContain("--anonymous-auth=false");
        KubeletService.Configuration.ShouldContain("anonymous: {enabled: false}");
        KubeletService.Configuration.ShouldContain("authorization: {mode: Webhook}");
    }

    [Fact]
    public void Rights_are_those_of_the_node_authorizer_and_of_roles()
    {
        Named("kube-apiserver").Command.ShouldContain("--authorization-mode=Node,RBAC");
        Named("kube-apiserver").Command.ShouldContain("--enable-admission-plugins=NodeRestriction");
    }

    [Fact]
    public void The_database_keeps_what_it_says_it_kept_and_has_no_port()
    {
        Named("etcd").Command.ShouldNotContain("--unsafe-no-fsync");
        var addresses = Named("etcd").Command.Where(a => a.Contains("-urls", StringComparison.Ordinal)).ToList();
        addresses.Select(a => a.Split('=')[0]).ShouldBe(["--listen-client-urls", "--advertise-client-urls", "--listen-peer-urls", "--initial-advertise-peer-urls"]);
        addresses.ShouldAllBe(a => a.Contains("=unix://", StringComparison.Ordinal));
    }

    [Fact]
    public void No_component_serves_without_asking_who_is_there()
    {
        foreach (var name in (string[])["kube-controller-manager", "kube-scheduler"])
        {
            Named(name).Command.ShouldContain("--port=0");
            Named(name).Command.ShouldContain("--bind-address=127.0.0.1");
        }

        KubeletService.Configuration.ShouldContain("readOnlyPort: 0");
    }

    [Fact]
    public void No_pod_starts_before_the_firewall() =>
        Named("kubelet").Conditions.ShouldContain(new Condition.Done(Milestone.Firewall));

    [Fact]
    public void The_API_front_is_this_program_in_another_role_and_starts_behind_the_firewall_that_leads_to_it()
    {
        var front = ApiFrontService.Describe("kube-apiserver");

        front.Command.ShouldBe(["/sbin/openshell-init", "api-front"]);
        front.Conditions.ShouldContain(new Condition.Done(Milestone.Firewall));
        ServiceGraph.Check([.. Services, front]);
        ServiceGraph.Check([.. new K3sDistribution().Services(new ClusterNode("gw", "192.168.127.2"), new() { NodeName = "gw", GatewayName = "g" }), ApiFrontService.Describe("k3s")]);
        // Its port is that of no component.
        Services.SelectMany(s => s.Command).ShouldNotContain(argument => argument.Contains("6440", StringComparison.Ordinal));
    }

    [Fact]
    public void The_end_is_the_beginning_in_reverse()
    {
        Order("kubelet").ShouldBeGreaterThan(Order("kube-scheduler"));
        Order("containerd").ShouldBeGreaterThan(Order("kubelet"));
        Order("kube-apiserver").ShouldBeGreaterThan(Order("containerd"));
        Order("etcd").ShouldBeGreaterThan(Order("kube-apiserver"));
    }

    [Fact]
    public void Pods_ask_the_clusters_name_server_and_it_outlives_them()
    {
        KubeletService.Configuration.ShouldContain("clusterDNS: [10.43.0.10]");
        KubeletService.Configuration.ShouldContain("clusterDomain: cluster.local");
        // PodTerminator runs between 49 and 50.
        Order("dns").ShouldBeGreaterThan(49);
        Order("dns-records").ShouldBeGreaterThan(49);
    }

    private static int Order(string name) => Named(name).StopOrder;

    private static Service Named(string name) => Services.Single(s => s.Name == name);
}

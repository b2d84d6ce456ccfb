using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Networking;

public sealed class PortPlannerTests : IDisposable
{
    private readonly TcpListener _busy = new(IPAddress.Loopback, 0);

    public PortPlannerTests() => _busy.Start();

    public void Dispose() => _busy.Dispose();

    private int BusyPort => ((IPEndPoint)_busy.LocalEndpoint).Port;

    private static InstanceConfig Config(params PortForward[] ports) => new() { Name = "test", Ports = ports };

    [Fact]
    public void Zero_becomes_a_free_port_that_nobody_else_gets()
    {
        var plan = PortPlanner.Choose(Config(new PortForward { HostPort = 0, GuestPort = 80 }, new PortForward { HostPort = 0, GuestPort = 80 }), []);
        plan.All.Count.ShouldBe(4);
        plan.All.Select(p => p.HostPort).Distinct().Count().ShouldBe(4);
        plan.All.ShouldAllBe(p => p.HostPort > 0 && PortPlanner.IsFree(p.HostAddress, p.HostPort));
        plan.Gateway!.GuestPort.ShouldBe(30051);
        plan.ApiServer!.GuestPort.ShouldBe(6443);
    }

    [Fact]
    public void A_busy_port_names_the_process_that_has_it_and_what_it_was_for()
    {
        var fault = Should.Throw<FaultException>(() => PortPlanner.Choose(Config(new PortForward { HostPort = BusyPort, GuestPort = 80 }), [])).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("network.port-busy");
        fault.What.ShouldContain($"Port {BusyPort}");
        fault.What.ShouldContain($"(pid {Environment.ProcessId})");
        fault.What.ShouldContain($"-p {BusyPort}:80");
    }

    [Fact]
    public void A_port_that_is_listened_on_here_until_the_forward_is_made_is_no_busy_one()
    {
        var asked = new PortForward { HostPort = BusyPort, GuestPort = 80 };
        PortPlanner.Choose(Config(asked), [], forward => forward.HostPort == BusyPort).User.ShouldBe([asked]);

        // One that was chosen is kept as well.
        var last = new PortForward { HostPort = BusyPort, GuestPort = GuestNetworkPlan.ApiServerPort };
        PortPlanner.Choose(Config(), [last], forward => forward.HostPort == BusyPort).ApiServer!.HostPort.ShouldBe(BusyPort);
        PortPlanner.Choose(Config(), [last]).ApiServer!.HostPort.ShouldNotBe(BusyPort);
    }

    [Fact]
    public void A_free_port_of_an_address_that_is_not_this_hosts_is_told_as_one_that_was_chosen()
    {
        PortForward[] elsewhere = [new() { HostAddress = "192.0.2.7", HostPort = 0, GuestPort = 80 }, new() { Protocol = PortProtocol.Udp, HostAddress = "192.0.2.7", HostPort = 0, GuestPort = 53 }];

        var faults = Should.Throw<FaultException>(() => PortPlanner.Choose(Config(elsewhere), [])).Faults;

        faults.Select(f => f.Code).ShouldBe(["network.address-not-here", "network.address-not-here"]);
        faults[0].What.ShouldContain("192.0.2.7");
        faults[0].Remedy.ShouldContain("an address of this machine");
    }

    [Fact]
    public void The_gateways_own_port_may_be_busy_too() =>
        Should.Throw<FaultException>(() => PortPlanner.Choose(Config() with { GatewayPort = BusyPort }, [])).Faults[0].What.ShouldContain("the gateway");

    [Fact]
    public void Ports_chosen_last_time_are_kept_while_they_are_free()
    {
        var first = PortPlanner.Choose(Config(), []);
        PortPlanner.Choose(Config(), first.All).ShouldBeEquivalentTo(first);

        PortForward[] last = [new() { HostPort = BusyPort, GuestPort = 30051 }, .. first.All.Skip(1)];
        var second = PortPlanner.Choose(Config(), last);
        second.Gateway!.HostPort.ShouldNotBe(BusyPort);
        second.ApiServer.ShouldBe(first.ApiServer);
    }

    [Fact]
    public void All_busy_ports_are_reported_at_once()
    {
        using var another = new TcpListener(IPAddress.Loopback, 0);
        another.Start();
        var config = Config(new PortForward { HostPort = BusyPort, GuestPort = 80 }, new PortForward { HostPort = ((IPEndPoint)another.LocalEndpoint).Port, GuestPort = 81 });
        Should.Throw<FaultException>(() => PortPlanner.Choose(config, [])).Faults.Count.ShouldBe(2);
    }

    [Fact]
    public void An_address_that_this_host_does_not_have_is_a_fault()
    {
        var fault = Should.Throw<FaultException>(() => PortPlanner.Choose(Config(new PortForward { HostAddress = "192.0.2.1", HostPort = 8080, GuestPort = 80 }), [])).Faults[0];
        fault.Code.ShouldBe("network.address-not-here");
    }

    [Fact]
    public void A_busy_port_of_udp_is_another_than_that_of_tcp()
    {
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)udp.LocalEndPoint!).Port;
        var fault = Should.Throw<FaultException>(() => PortPlanner.Choose(Config(new PortForward { Protocol = PortProtocol.Udp, HostPort = port, GuestPort = 53 }), [])).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("network.port-busy");
        fault.What.ShouldContain($"UDP port {port}");
        fault.What.ShouldContain($"(pid {Environment.ProcessId})");
        PortPlanner.Choose(Config(new PortForward { Protocol = PortProtocol.Udp, HostPort = 0, GuestPort = 53 }), []).User[0].HostPort.ShouldNotBe(0);
    }

    [Fact]
    public void Added_forwards_are_tried_like_those_asked_for() =>
        Should.Throw<FaultException>(() => PortPlanner.Choose(Config() with { AddedPorts = [new PortForward { HostPort = BusyPort, GuestPort = 80 }] }, [])).Faults[0].Code.ShouldBe("network.port-busy");

    [Fact]
    public void A_program_gets_only_what_was_asked_for()
    {
        var config = Config() with { Mode = GuestMode.Exec };
        PortPlanner.Choose(config, []).All.ShouldBeEmpty();
        PortPlanner.Choose(config with { Network = "none", Ports = [new PortForward { HostPort = 1, GuestPort = 1 }] }, []).All.ShouldBeEmpty();
    }

    [Fact]
    public void A_chosen_port_that_was_taken_meanwhile_is_replaced_and_one_that_was_asked_for_is_not()
    {
        var config = Config(new PortForward { HostPort = 0, GuestPort = 80 }, new PortForward { HostPort = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0), GuestPort = 81 }) with { AddedPorts = [new PortForward { HostPort = 0, GuestPort = 82 }] };
        var plan = PortPlanner.Choose(config, []);

        foreach (var at in (int[])[0, 1, 2, 4])
        {
            var other = PortPlanner.Replace(plan, config, plan.All[at]).ShouldNotBeNull();
            other.All.Select((p, i) => (p == plan.All[i], p.GuestPort == plan.All[i].GuestPort)).ShouldBe(Enumerable.Range(0, 5).Select(i => (i != at, true)));
            other.All.Select(p => p.HostPort).Distinct().Count().ShouldBe(5);
        }

        PortPlanner.Replace(plan, config, plan.All[3]).ShouldBeNull();
        PortPlanner.Replace(plan, config with { GatewayPort = plan.Gateway!.HostPort }, plan.Gateway).ShouldBeNull();
        PortPlanner.Replace(plan, config with { Name = "default" }, plan.Gateway).ShouldBeNull();
    }

    [Fact]
    public void A_listener_on_all_addresses_is_found_by_any_of_them()
    {
        using var everywhere = new TcpListener(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
        everywhere.Start();
        var port = ((IPEndPoint)everywhere.LocalEndpoint).Port;
        PortHolder.Find(IPAddress.Loopback, port).ShouldNotBeNull().ShouldContain($"(pid {Environment.ProcessId})");
        PortHolder.Find(IPAddress.Parse("127.0.0.2"), BusyPort).ShouldBeNull();
    }
}

using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Dns;

namespace OpenShell.Vm.Guest.Tests.Cluster.Dns;

public sealed class DnsZoneTests
{
    private const string Second = "10.42.255.53#5354";

    [Fact]
    public void A_service_has_its_cluster_address_and_records_of_its_named_ports()
    {
        var zone = Zone([Service("shop", "web", """{"clusterIP":"10.43.0.7","ports":[{"name":"http","port":80},{"name":"quic","port":443,"protocol":"UDP"},{"port":81}]}""")], []);

        zone.Hosts.ShouldBe("10.43.0.7 web.shop.svc.cluster.local\n");
        zone.Records.ShouldBe(
            "srv-host=_http._tcp.web.shop.svc.cluster.local,web.shop.svc.cluster.local,80,0,100\n"
            + "srv-host=_quic._udp.web.shop.svc.cluster.local,web.shop.svc.cluster.local,443,0,100\n");
        zone.Servers.ShouldBe($"server=/_tcp.web.shop.svc.cluster.local/{Second}\nserver=/_udp.web.shop.svc.cluster.local/{Second}\n");
        zone.Outside.ShouldBeEmpty();
    }

    [Fact]
    public void A_headless_service_has_those_that_are_ready_by_their_own_names_too()
    {
        var zone = Zone(
            [Service("shop", "db", """{"clusterIP":"None","ports":[{"name":"sql","port":5432}]}""")],
            [Endpoints("shop", "db", """
                [{"addresses":[{"ip":"10.42.0.9","hostname":"db-1"},{"ip":"10.42.0.8"}],"notReadyAddresses":[{"ip":"10.42.0.10","hostname":"db-2"}],"ports":[{"name":"sql","port":15432}]}]
                """)]);

        // A pod's own name comes first: dnsmasq gives the first name of an address to who asks the other way round.
        zone.Hosts.ShouldBe("""
            10.42.0.9 db-1.db.shop.svc.cluster.local
            10.42.0.8 10-42-0-8.db.shop.svc.cluster.local
            10.42.0.8 db.shop.svc.cluster.local
            10.42.0.9 db.shop.svc.cluster.local

            """);
        zone.Records.ShouldBe("""
            srv-host=_sql._tcp.db.shop.svc.cluster.local,10-42-0-8.db.shop.svc.cluster.local,15432,0,100
            srv-host=_sql._tcp.db.shop.svc.cluster.local,db-1.db.shop.svc.cluster.local,15432,0,100

            """);
    }

    [Fact]
    public void An_external_name_has_its_targets_addresses_where_no_reverse_lookup_finds_them()
    {
        var zone = Zone([Service("shop", "bank", """{"type":"ExternalName","externalName":"Bank.Example.org."}""")], [], name => name == "bank.example.org" ? ["192.0.2.1", "192.0.2.2"] : []);

        zone.Hosts.ShouldBeEmpty();
        zone.Outside.ShouldBe("192.0.2.1 bank.shop.svc.cluster.local\n192.0.2.2 bank.shop.svc.cluster.local\n");
        zone.Servers.ShouldBe($"server=/bank.shop.svc.cluster.local/{Second}\n");
    }

    [Fact]
    public void An_external_name_may_be_another_service_and_a_circle_of_them_leads_nowhere()
    {
        var zone = Zone(
            [
                Service("shop", "web", """{"clusterIP":"10.43.0.7"}"""),
                Service("shop", "alias", """{"type":"ExternalName","externalName":"web.shop.svc.cluster.local"}"""),
                Service("shop", "ping", """{"type":"ExternalName","externalName":"pong.shop.svc.cluster.local"}"""),
                Service("shop", "pong", """{"type":"ExternalName","externalName":"ping.shop.svc.cluster.local"}"""),
            ],
            [],
            _ => throw new InvalidOperationException("names of the cluster are not asked for elsewhere"));

        zone.Hosts.ShouldBe("10.43.0.7 alias.shop.svc.cluster.local\n10.43.0.7 web.shop.svc.cluster.local\n");
    }

    [Fact]
    public void Endpoints_made_by_hand_may_lie_outside_of_the_cluster()
    {
        var zone = Zone(
            [Service("shop", "old", """{"clusterIP":"None"}""")], [Endpoints("shop", "old", """[{"addresses":[{"ip":"192.168.7.7","hostname":"mainframe"}]}]""")]);

        zone.Hosts.ShouldBeEmpty();
        zone.Outside.ShouldBe("192.168.7.7 mainframe.old.shop.svc.cluster.local\n192.168.7.7 old.shop.svc.cluster.local\n");
        zone.Servers.ShouldBe($"server=/old.shop.svc.cluster.local/{Second}\n");
    }

    [Fact]
    public void What_is_no_name_or_no_IPv4_address_never_becomes_a_line()
    {
        var zone = Zone(
            [Service("shop", "db", """{"clusterIP":"None","ports":[]}"""), Service("shop", "six", """{"clusterIP":"fd00::1"}""")],
            [Endpoints("shop", "db", """[{"addresses":[{"ip":"10.42.0.9","hostname":"x\n1.2.3.4 bank"},{"ip":"10.42.0.9\n"},{"ip":"fd00::2"}],"ports":[{"name":"a,b","port":1}]}]""")]);

        zone.Hosts.ShouldBe("10.42.0.9 db.shop.svc.cluster.local\n");
        zone.Records.ShouldBeEmpty();
    }

    [Fact]
    public void The_order_in_which_services_come_makes_no_difference()
    {
        var services = new[] { Service("b", "x", """{"clusterIP":"10.43.0.2"}"""), Service("a", "y", """{"clusterIP":"10.43.0.3"}""") };

        Zone(services, []).ShouldBe(Zone([.. services.Reverse()], []));
    }

    [Fact]
    public void The_name_servers_own_service_is_known_when_both_of_its_objects_lead_to_it()
    {
        var objects = KubeDns.Objects.Select(o => JsonDocument.Parse(o.Manifest).RootElement).ToList();
        var service = ServiceNames.Read(objects[0]);
        var endpoints = EndpointsNames.Read(objects[1]);

        KubeDns.IsThere([service], [endpoints]).ShouldBeTrue();
        KubeDns.IsThere([service], []).ShouldBeFalse();
        KubeDns.IsThere([service with { ClusterAddress = "10.43.0.11" }], [endpoints]).ShouldBeFalse();
        KubeDns.IsThere([service], [endpoints with { Subsets = [] }]).ShouldBeFalse();
    }

    internal static DnsZone Zone(IReadOnlyList<ServiceNames> services, IReadOnlyList<EndpointsNames> endpoints, Func<string, IReadOnlyList<string>>? resolve = null, string second = Second) =>
        DnsZone.Of(services, endpoints, resolve ?? (_ => []), second);

    internal static ServiceNames Service(string space, string name, string spec) => ServiceNames.Read(
        JsonDocument.Parse($$$"""{"metadata":{"namespace":"{{{space}}}","name":"{{{name}}}"},"spec":{{{spec}}}}""").RootElement);

    internal static EndpointsNames Endpoints(string space, string name, string subsets) => EndpointsNames.Read(
        JsonDocument.Parse($$$"""{"metadata":{"namespace":"{{{space}}}","name":"{{{name}}}"},"subsets":{{{subsets}}}}""").RootElement);
}

using OpenShell.Vm.Guest.Networking;

namespace OpenShell.Vm.Guest.Tests.Networking;

public sealed class NameFilesTests
{
    [Fact]
    public void The_host_has_its_address_under_its_name() =>
        NameFiles.Hosts("gw", "192.168.127.2").ShouldBe("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n192.168.127.2 gw\n");

    [Fact]
    public void Without_a_network_the_name_is_loopback() =>
        NameFiles.Hosts("gw", null).ShouldBe("127.0.0.1 localhost gw\n::1 localhost ip6-localhost ip6-loopback\n");

    [Fact]
    public void Three_name_servers_are_what_libc_reads() =>
        NameFiles.Resolver(["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"], "example.org").ShouldBe("search example.org\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n");

    [Fact]
    public void A_lease_is_read_from_what_udhcpc_sets()
    {
        var lease = Lease.FromEnvironment(name => name switch { "ip" => "192.168.127.2", "dns" => "192.168.127.1 nonsense 8.8.8.8", "domain" => "lan", _ => null });
        lease.Address.ShouldBe("192.168.127.2");
        lease.NameServers.ShouldBe(["192.168.127.1", "8.8.8.8"]);
        lease.Domain.ShouldBe("lan");
    }
}

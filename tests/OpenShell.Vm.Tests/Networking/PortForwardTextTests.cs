using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Tests.Networking;

public sealed class PortForwardTextTests
{
    private static readonly PortForward Web = new() { HostPort = 8080, GuestPort = 80 };
    private static readonly PortForward Dns = new() { Protocol = PortProtocol.Udp, HostPort = 8080, GuestPort = 53 };
    private static readonly PortForward Six = new() { HostAddress = "::1", HostPort = 9090, GuestPort = 90 };
    private static readonly PortForward Socket = new() { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = "/run/me/web.sock", GuestPort = 80 };

    [Theory]
    [InlineData("8080:80", "127.0.0.1:8080 -> 80")]
    [InlineData("8080:80/tcp", "127.0.0.1:8080 -> 80")]
    [InlineData("5353:53/udp", "127.0.0.1:5353 -> 53/udp")]
    [InlineData("0.0.0.0:5353:53/udp", "0.0.0.0:5353 -> 53/udp")]
    [InlineData("127.0.0.1::80", "127.0.0.1:0 -> 80")]
    [InlineData("[::1]:8080:80", "[::1]:8080 -> 80")]
    [InlineData("/run/me/web.sock:80", "/run/me/web.sock -> 80")]
    [InlineData("unix:/run/me/web.sock:80", "/run/me/web.sock -> 80")]
    public void A_forward_is_read_and_written(string text, string written)
    {
        var forward = PortForwardText.Parse(text, out var problem).ShouldNotBeNull(problem);
        forward.Text().ShouldBe(written);
        InstanceValidator.Validate(new InstanceConfig { Name = "any", Ports = [forward] }, 8, 16384).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("80:80/sctp", "tcp and udp")]
    [InlineData("::1:80:80", "in brackets: [::1]")]
    [InlineData("8000-8010:8000-8010", "range of ports")]
    [InlineData("/run/web.sock", "no port of the guest")]
    [InlineData("unix:80", "no port of the guest")]
    [InlineData("/run/web.sock:0", "from 1 to 65535")]
    [InlineData("/run/web/:80", "no path of a socket")]
    [InlineData("80:80/", "protocol ''")]
    public void What_is_none_says_why(string text, string why)
    {
        PortForwardText.Parse(text, out var problem).ShouldBeNull();
        problem.ShouldContain(why);
    }

    [Theory]
    [InlineData("9090", "[::1]:9090 -> 90")]
    [InlineData("[::1]:9090", "[::1]:9090 -> 90")]
    [InlineData("8080/udp", "127.0.0.1:8080 -> 53/udp")]
    [InlineData("8080/tcp", "127.0.0.1:8080 -> 80")]
    [InlineData("8080:80", "127.0.0.1:8080 -> 80")]
    [InlineData("127.0.0.1:8080:53/udp", "127.0.0.1:8080 -> 53/udp")]
    [InlineData("/run/me/web.sock", "/run/me/web.sock -> 80")]
    [InlineData("/run/me/web.sock:80", "/run/me/web.sock -> 80")]
    public void One_of_several_is_found_by_its_end_on_the_host(string text, string found) =>
        PortRules.One(text, [Web, Dns, Six, Socket]).Text().ShouldBe(found);

    [Theory]
    [InlineData("8080", "network.forward-ambiguous")]
    [InlineData("7070", "network.forward-unknown")]
    [InlineData("8080:81", "network.forward-unknown")]
    [InlineData("/run/other.sock", "network.forward-unknown")]
    [InlineData("eight", "network.forward-invalid")]
    public void What_cannot_be_found_is_said(string text, string code)
    {
        var fault = Should.Throw<FaultException>(() => PortRules.One(text, [Web, Dns, Six, Socket])).Faults[0];
        fault.Code.ShouldBe(code);
        if (code == "network.forward-unknown")
            fault.Remedy.ShouldContain("127.0.0.1:8080/udp");
    }

    [Fact]
    public void The_same_end_of_the_host_is_there_once()
    {
        Web.ClashesWith(Dns).ShouldBeFalse();
        Web.ClashesWith(Web with { GuestPort = 81 }).ShouldBeTrue();
        Web.ClashesWith(Web with { HostAddress = "0.0.0.0" }).ShouldBeTrue();
        Web.ClashesWith(Web with { HostAddress = "127.0.0.2" }).ShouldBeFalse();
        (Web with { HostPort = 0 }).ClashesWith(Web with { HostPort = 0 }).ShouldBeFalse();
        Socket.ClashesWith(Socket with { GuestPort = 81 }).ShouldBeTrue();
        InstanceValidator.Validate(new InstanceConfig { Name = "any", Ports = [Web], AddedPorts = [Web with { GuestPort = 81 }] }, 8, 16384).ShouldHaveSingleItem().Code.ShouldBe("network.port-duplicate");
    }
}

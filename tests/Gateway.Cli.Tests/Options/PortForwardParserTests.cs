using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Tests.Options;

public sealed class PortForwardParserTests
{
    [Theory]
    [InlineData("8080:80", "127.0.0.1", 8080, 80)]
    [InlineData("0:80", "127.0.0.1", 0, 80)]
    [InlineData("0.0.0.0:8080:80", "0.0.0.0", 8080, 80)]
    [InlineData("[::1]:8080:80", "::1", 8080, 80)]
    [InlineData("65535:65535", "127.0.0.1", 65535, 65535)]
    public void A_forward_has_a_host_port_a_guest_port_and_perhaps_an_address(string text, string address, int host, int guest)
    {
        var faults = new List<Fault>();

        PortForwardParser.ParseAll([text], faults).ShouldBe([new PortForward { HostAddress = address, HostPort = host, GuestPort = guest }]);

        faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("80")]
    [InlineData("80:0")]
    [InlineData("80:65536")]
    [InlineData("-1:80")]
    [InlineData("+80:80")]
    [InlineData(" 80:80")]
    [InlineData("1e3:80")]
    [InlineData("localhost:80:80")]
    [InlineData("1:80:80")]
    [InlineData("0x7f.1:80:80")]
    [InlineData("::1:80:80")]
    [InlineData("80:80/sctp")]
    [InlineData("8000-8001:8000-8001")]
    public void Anything_else_is_a_fault_that_shows_the_form(string text)
    {
        var faults = new List<Fault>();

        PortForwardParser.ParseAll([text], faults).ShouldBeEmpty();

        faults.ShouldHaveSingleItem().Remedy.ShouldContain("-p HOST:GUEST");
    }

    [Fact]
    public void Free_ports_may_be_asked_for_several_times()
    {
        var faults = new List<Fault>();

        PortForwardParser.ParseAll(["0:80", "0:81"], faults).Count.ShouldBe(2);

        faults.ShouldBeEmpty();
    }
}

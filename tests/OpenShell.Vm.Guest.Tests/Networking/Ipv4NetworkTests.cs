using OpenShell.Vm.Guest.Networking;

namespace OpenShell.Vm.Guest.Tests.Networking;

public sealed class Ipv4NetworkTests
{
    [Theory]
    [InlineData("192.168.127.2/24", "255.255.255.0")]
    [InlineData("10.0.0.1/8", "255.0.0.0")]
    [InlineData("10.0.0.1/32", "255.255.255.255")]
    [InlineData("10.0.0.1/0", "0.0.0.0")]
    [InlineData("10.0.0.1/19", "255.255.224.0")]
    public void An_address_with_its_prefix_has_a_mask(string text, string mask)
    {
        Ipv4Network.TryParse(text, out var network).ShouldBeTrue();
        network.Mask.ToString().ShouldBe(mask);
        network.ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("192.168.127.2")]
    [InlineData("192.168.127.2/33")]
    [InlineData("192.168.127.2/-1")]
    [InlineData("::1/64")]
    [InlineData("/24")]
    [InlineData("")]
    public void Anything_else_is_none(string text) => Ipv4Network.TryParse(text, out _).ShouldBeFalse();
}

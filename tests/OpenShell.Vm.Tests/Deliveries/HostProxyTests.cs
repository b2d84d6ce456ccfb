using OpenShell.Vm.Deliveries;

namespace OpenShell.Vm.Tests.Deliveries;

public sealed class HostProxyTests
{
    [Fact]
    public void The_names_in_lower_case_come_first_and_empty_ones_do_not_count()
    {
        Read(("http_proxy", "http://a:1"), ("HTTP_PROXY", "http://b:1"), ("HTTPS_PROXY", "http://c:1"), ("https_proxy", ""), ("no_proxy", "x"))
            .ShouldBe(new ProxyConfig { Http = "http://a:1", Https = "http://c:1", Except = "x" });
        Read(("no_proxy", "x")).ShouldBeNull();
        Read().ShouldBeNull();
    }

    [Fact]
    public void What_is_inside_is_never_asked_of_a_proxy()
    {
        var (proxy, open) = HostProxy.ForGuest(new ProxyConfig { Http = "http://proxy.example:3128", Except = "a.example, b.example" });

        proxy.Http.ShouldBe("http://proxy.example:3128");
        proxy.Https.ShouldBeNull();
        proxy.Except!.Split(',').ShouldBe(["localhost", "127.0.0.0/8", "::1", "192.168.127.0/24", "10.42.0.0/16", "10.43.0.0/16", ".svc", ".cluster.local", "a.example", "b.example"]);
        open.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://127.0.0.1:3128", "http://192.168.127.254:3128")]
    [InlineData("http://localhost:3128/", "http://192.168.127.254:3128")]
    [InlineData("localhost:3128", "http://192.168.127.254:3128")]
    [InlineData("http://[::1]:3128", "http://192.168.127.254:3128")]
    [InlineData("http://me:pw@127.0.0.1:3128", "http://me:pw@192.168.127.254:3128")]
    public void A_proxy_on_the_hosts_loopback_gets_the_address_that_it_has_in_the_guest_and_nothing_else_there_is_open(string host, string guest)
    {
        var (proxy, open) = HostProxy.ForGuest(new ProxyConfig { Https = host });

        proxy.Https.ShouldBe(guest);
        open.ShouldBe(["192.168.127.254:3128"]);
    }

    [Theory]
    [InlineData("ftp://a:1")]
    [InlineData("http://")]
    [InlineData("http://a b")]
    [InlineData("")]
    public void What_is_no_proxy_is_refused(string text) => Should.Throw<FormatException>(() => HostProxy.Parse(text));

    private static ProxyConfig? Read(params (string Name, string Value)[] variables) =>
        HostProxy.Read(name => variables.Where(v => v.Name == name).Select(v => v.Value).FirstOrDefault());
}

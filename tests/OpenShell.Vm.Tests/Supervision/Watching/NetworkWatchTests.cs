using System.Globalization;
using System.Net;
using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class NetworkWatchTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<(string Name, string Message)> _events = [];
    private int _told;
    private HostNetwork _network = new("192.0.2.5\n192.0.2.1", "nameserver 192.0.2.1");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Another_network_is_told_once_it_has_settled()
    {
        var watch = Watch();
        await LookAsync(watch);
        _network = new("198.51.100.7\n198.51.100.1", "");
        await LookAsync(watch);
        _told.ShouldBe(0);
        _network = _network with { Resolvers = "nameserver 198.51.100.1" };
        await LookAsync(watch);
        _told.ShouldBe(0);
        await LookAsync(watch);
        _events.ShouldBe([(EventNames.NetworkChanged, "the host's addresses and name servers changed; dhcp, dns in the guest were told")]);
        await LookAsync(watch);
        _told.ShouldBe(1);
    }

    [Fact]
    public async Task What_comes_back_before_it_has_settled_is_no_news()
    {
        var watch = Watch();
        var before = _network;
        _network = new("", "");
        await LookAsync(watch);
        _network = before;
        await LookAsync(watch);
        await LookAsync(watch);
        _told.ShouldBe(0);
    }

    [Fact]
    public void Comments_of_a_resolver_file_mean_nothing_and_a_missing_one_is_empty()
    {
        var file = _folder.File("resolv.conf");
        HostNetwork.ReadResolvers(file).ShouldBe("");
        File.WriteAllText(file, "# made at 10:31\nnameserver 192.0.2.1\n\n; old\n search example\n");
        HostNetwork.ReadResolvers(file).ShouldBe("nameserver 192.0.2.1\nsearch example");
    }

    [Fact]
    public void The_real_network_has_the_hosts_name_servers_and_the_router_of_its_default_route()
    {
        var network = HostNetwork.Read();

        network.Resolvers.Split('\n').Where(line => line.StartsWith("nameserver", StringComparison.Ordinal)).ShouldBe(Lines("/etc/resolv.conf").Where(line => line.StartsWith("nameserver", StringComparison.Ordinal)));
        foreach (var router in Routers())
            network.Addresses.Split('\n').ShouldContain(router);
    }

    /// <summary>The routers of default routes over interfaces that are up. The kernel writes an address as the number that its bytes are in memory.</summary>
    private static IEnumerable<string> Routers() => Lines("/proc/net/route").Skip(1).Select(line => line.Split('\t'))
        .Where(route => route[1] == "00000000" && route[2] != "00000000" && Lines($"/sys/class/net/{route[0]}/operstate") is ["up"])
        .Select(route => new IPAddress(BitConverter.GetBytes(uint.Parse(route[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture))).ToString());

    private static string[] Lines(string file) => File.Exists(file) ? [.. File.ReadLines(file).Select(line => line.Trim())] : [];

    private NetworkWatch Watch() => new(() => _network, (change, _) =>
    {
        change.Network.ShouldBeTrue();
        change.HostTimeUnixNanoseconds.ShouldBeNull();
        _told++;
        return Task.FromResult<HostChangeReply?>(new HostChangeReply { Told = ["dhcp", "dns"] });
    }, (name, message, _) => _events.Add((name, message)));

    private static Task LookAsync(NetworkWatch watch) => watch.LookAsync(TestContext.Current.CancellationToken);
}

using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>What goes wrong while a cluster runs is noticed, told and put right, and the cluster runs on.</summary>
public sealed class HealingTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private const int SigKill = 9;

    /// <summary>An emulated machine on a busy host.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_gvproxy_is_replaced_with_all_forwards_and_the_cluster_answers_through_them()
    {
        var before = await CountAsync("gvproxy.restarted");
        var pid = (await Cluster.StatusAsync()).GetProperty("processes").GetProperty("gvproxy").GetProperty("pid").GetInt32();
        LibC.Kill(pid, SigKill).ShouldBe(0);
        var restarted = await NextAsync("gvproxy.restarted", before);
        restarted.GetProperty("message").GetString()!.ShouldContain("the guest is connected again");
        (await EventsAsync()).ShouldContain(e => Name(e) == "gvproxy.ended");

        await Eventually.HoldsAsync("the API server answers through its forward", async () => (await Kubectl.TryAsync("get", "--raw", "/readyz")).ExitCode == 0, Soon);
        var ports = JsonSerializer.Deserialize<JsonElement>((await Cluster.Gateway.RunAsync("port", "list", "--name", Cluster.Name, "--output", "json")).OrFail()).EnumerateArray().ToArray();
        ports.Length.ShouldBe(3);
        ports.ShouldAllBe(port => port.GetProperty("open").GetBoolean());
        (await Cluster.StatusAsync()).GetProperty("processes").GetProperty("gvproxy").GetProperty("pid").GetInt32().ShouldNotBe(pid);
    }

    [Fact]
    public async Task A_forward_that_was_lost_is_made_again()
    {
        var before = await CountAsync("forward.remade");
        var apiServer = new Uri((await Cluster.StatusAsync()).GetProperty("apiServer").GetString()!);
        await UnexposeAsync($"127.0.0.1:{apiServer.Port}");
        var remade = await NextAsync("forward.remade", before);
        remade.GetProperty("subject").GetString().ShouldBe($"127.0.0.1:{apiServer.Port}");
        (await EventsAsync()).ShouldContain(e => Name(e) == "forward.lost" && e.GetProperty("subject").GetString() == $"127.0.0.1:{apiServer.Port}");
        (await Kubectl.RunAsync("get", "--raw", "/readyz")).ShouldBe("ok");
    }

    [Fact]
    public async Task A_service_that_ends_is_told_with_its_exit_code_and_how_often_and_that_it_is_back()
    {
        var before = await CountAsync("service.exited");
        var back = await CountAsync("service.restarted");
        (await Cluster.ShellAsync("kill -9 $(pidof kube-scheduler)")).ShouldBeEmpty();
        var exited = await NextAsync("service.exited", before);
        exited.GetProperty("subject").GetString().ShouldBe("kube-scheduler");
        exited.GetProperty("exitCode").GetInt32().ShouldBe(128 + SigKill);
        exited.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
        (await NextAsync("service.restarted", back)).GetProperty("subject").GetString().ShouldBe("kube-scheduler");
    }

    [Fact]
    public async Task A_disk_that_fills_up_is_told_once_and_stands_in_the_status_until_there_is_room_again()
    {
        const string Ballast = "/var/lib/openshell/ballast";
        var before = await CountAsync("disk.nearly-full");
        var room = await CountAsync("disk.room-again");
        try
        {
            // To a fifth of what there is: before the kubelet deletes anything.
            await Cluster.ShellAsync($"set -- $(stat -f -c '%a %b %S' /var/lib/openshell); fallocate -l $((($1 - $2 / 5) * $3)) {Ballast}");
            var told = await NextAsync("disk.nearly-full", before, e => e.GetProperty("subject").GetString() == "guest");
            told.GetProperty("message").GetString()!.ShouldContain("the guest's disk is nearly full");
            (await Cluster.StatusAsync()).GetProperty("disks").EnumerateArray().Single(disk => disk.GetProperty("where").GetString() == "guest").GetProperty("nearlyFull").GetBoolean().ShouldBeTrue();
            (await Cluster.GatewayAsync("status")).OrFail().ShouldContain("nearly full");
        }
        finally
        {
            await Cluster.ShellAsync("rm -f " + Ballast);
        }

        await NextAsync("disk.room-again", room, e => e.GetProperty("subject").GetString() == "guest");
        (await EventsAsync()).Count(e => Name(e) == "disk.nearly-full" && e.GetProperty("subject").GetString() == "guest").ShouldBe(1);
    }

    private static string? Name(JsonElement happened) => happened.GetProperty("event").GetString();

    private async Task<IReadOnlyList<JsonElement>> EventsAsync() =>
        [.. (await Cluster.GatewayAsync("events", "--output", "json")).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    private async Task<int> CountAsync(string name) => (await EventsAsync()).Count(e => Name(e) == name);

    /// <summary>Waits for one more of that name than there were.</summary>
    private async Task<JsonElement> NextAsync(string name, int before, Func<JsonElement, bool>? wanted = null)
    {
        JsonElement found = default;
        await Eventually.HoldsAsync($"another {name}", async () =>
        {
            var further = (await EventsAsync()).Where(e => Name(e) == name).Skip(before).Where(wanted ?? (_ => true)).ToArray();
            found = further.FirstOrDefault();
            return further.Length > 0;
        }, Soon);
        return found;
    }

    /// <summary>As nobody should: straight at gvproxy's control socket.</summary>
    private async Task UnexposeAsync(string local)
    {
        var socket = Directory.EnumerateFiles(Cluster.Home.Runtime, "api", SearchOption.AllDirectories).ShouldHaveSingleItem();
        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, token) =>
            {
                var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await unix.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                return new NetworkStream(unix, ownsSocket: true);
            },
        });
        using var request = new StringContent($$"""{"local":"{{local}}","protocol":"tcp"}""", Encoding.UTF8, "application/json");
        (await http.PostAsync(new Uri("http://gvproxy/services/forwarder/unexpose"), request, Cancellation)).EnsureSuccessStatusCode();
    }
}

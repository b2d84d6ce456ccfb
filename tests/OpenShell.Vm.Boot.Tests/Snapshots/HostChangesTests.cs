using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Damage;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>
/// The host sleeps, and comes to another network, while a cluster runs on it: its supervisor notices, and the guest follows. The supervisor's clocks are moved as the kernel would move them, and it has a resolv.conf of its own; all else is as
/// ever. On a copy of a golden image, whose start is short.
/// </summary>
public sealed class HostChangesTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private const string Name = "laptop";
    private const int SigTerm = 15;
    private const string Resolvers = "/etc/resolv.conf";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    // Half a minute more than what is told: it may be told a second short.
    private static readonly TimeSpan Asleep = TimeSpan.FromHours(3) + TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Clocks => Path.Combine(golden.Home.Root, "clocks");

    private string OwnResolvers => Path.Combine(golden.Home.Root, "resolv.conf");

    private InstanceEvents Events => new(golden.Gateway, Name);

    public async ValueTask InitializeAsync()
    {
        await golden.RequireAsync();
        Requirements.SkipUnless("gcc", "gcc");
        Requirements.SkipUnless("unshare", "util-linux");
        if ((await HostProgram.RunAsync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", golden.Home.Home], GatewayCli.Short)).ExitCode != 0)
            Assert.Skip("this system lets nobody have a mount namespace (unshare -rm)");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_guest_follows_a_host_that_slept_and_came_to_another_network()
    {
        using var up = await StartedAsync();
        var ended = HostProgram.EndAsync(up, TimeSpan.FromHours(1));
        await Eventually.HoldsAsync("it is ready", async () => ended.IsCompleted ? throw new InvalidOperationException((await ended).ToString()) : await PhaseAsync() == "ready", Patience);
        (await GuestIsAheadAsync()).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
        var node = await HeartbeatAsync();

        // It slept: both clocks have gone on, and the one that only counts what it was awake has not.
        await MoveClocksAsync(Asleep);
        var slept = await Events.NextAsync("clock.jumped", 0, "the host slept for");
        slept.ShouldContain("the host slept for 3 h 0 min; the guest's clock, 3 h 0 min behind, was set");
        slept.ShouldContain("dns");
        slept.ShouldContain("dhcp");
        (await GuestIsAheadAsync() - Asleep).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));

        // Its lease goes on from the new time, and nothing is taken for lost.
        await Eventually.HoldsAsync("the node's lease is renewed", async () => await HeartbeatAsync() - node > Asleep - TimeSpan.FromMinutes(1), Patience);
        (await golden.KubectlOf(Name).RunAsync("get", "nodes", "-o", "jsonpath={.items[0].status.conditions[?(@.type=='Ready')].status}")).ShouldBe("True");
        (await golden.KubectlOf(Name).RunAsync("get", "pods", "-n", "openshell", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")).Split(' ').ShouldAllBe(ready => ready == "True");

        // Another network has other name servers.
        await File.AppendAllTextAsync(OwnResolvers, "\nsearch elsewhere.test\n", Cancellation);
        var moved = await Events.NextAsync("network.changed", 0);
        moved.ShouldStartWith("the host's name servers changed");
        moved.ShouldContain("dns");
        await golden.KubectlOf(Name).RunAsync("create", "configmap", "afterwards", "--from-literal", "is=fine");

        ProcessIdentities.Signal(ProcessIdentities.Of(up.Id).ShouldNotBeNull(), SigTerm);
        (await ended).ExitCode.ShouldBe(0);
        Leftovers.Of(golden.Home).ShouldBeEmpty();
    }

    /// <summary>In the foreground, where the supervisor is the command itself.</summary>
    private async Task<Process> StartedAsync()
    {
        await MoveClocksAsync(TimeSpan.Zero);
        File.Copy(Resolvers, OwnResolvers);
        var library = Path.Combine(golden.Home.Root, "clocks.so");
        (await HostProgram.RunAsync("gcc", ["-shared", "-fPIC", "-O1", "-o", library, Path.Combine(AppContext.BaseDirectory, "Snapshots", "clocks.c"), "-ldl"], TimeSpan.FromMinutes(2))).OrFail();
        return HostProgram.Start(
            "unshare",
            [
                "-rm", "sh", "-ec", $"mount --bind '{OwnResolvers}' {Resolvers}; export CLOCKS='{Clocks}' LD_PRELOAD='{library}'\nexec \"$@\"", "sh",
                GatewayCli.Program, "up", "--name", Name, "--start", "resume", .. GoldenFixture.Shape,
            ],
            golden.Home.Environment);
    }

    /// <summary>In place: the file is mapped by who runs.</summary>
    private async Task MoveClocksAsync(TimeSpan by)
    {
        var seconds = (long)by.TotalSeconds;
        await using var file = new FileStream(Clocks, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        await file.WriteAsync(MemoryMarshal.AsBytes<long>([seconds, seconds]).ToArray(), Cancellation);
    }

    /// <summary>Of the clock that everybody else here goes by.</summary>
    private async Task<TimeSpan> GuestIsAheadAsync() =>
        DateTimeOffset.FromUnixTimeSeconds(long.Parse(await golden.InGuestAsync(Name, "date +%s"), CultureInfo.InvariantCulture)) - DateTimeOffset.UtcNow;

    private async Task<DateTimeOffset> HeartbeatAsync() => DateTimeOffset.Parse(
        await golden.KubectlOf(Name).RunAsync("get", "lease", "-n", "kube-node-lease", "-o", "jsonpath={.items[0].spec.renewTime}"), CultureInfo.InvariantCulture);

    /// <summary><see langword="null"/>: there is no such instance yet.</summary>
    private async Task<string?> PhaseAsync() =>
        (await golden.Gateway.RunAsync("status", "--name", Name, "--output", "json")) is { ExitCode: 0, Out: var json } ? JsonSerializer.Deserialize<JsonElement>(json).GetProperty("phase").GetString() : null;
}

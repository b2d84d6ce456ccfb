using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>An instance that nobody uses is suspended, and the first who calls wakes it.</summary>
public sealed class SleepTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private const string Name = "drowsy";
    private const int SigKill = 9;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public async ValueTask InitializeAsync() => await golden.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_that_nobody_uses_is_suspended_and_woken_by_who_calls()
    {
        // Asked for as the start that it is: a wake goes on from its memory all the same.
        var up = await golden.ResumeAsync(Name, "--idle-suspend", "20s");
        var (server, gateway) = (up.GetProperty("apiServer").GetString(), up.GetProperty("endpoint").GetString());
        await golden.InGuestAsync(Name, "echo remembered > /run/in-memory-only");
        var socket = Path.Combine(golden.Home.Root, "web.sock");
        (await golden.Gateway.RunAsync("port", "add", "--name", Name, $"{socket}:6443")).OrFail();

        // The second comes while the first wakes it: both are answered.
        await SleepsAsync();
        var first = golden.KubectlOf(Name).TryAsync("get", "nodes", "--no-headers");
        await Eventually.HoldsAsync("the first has woken it", async () => await PhaseAsync() != "suspended", Patience);
        var second = golden.KubectlOf(Name).TryAsync("get", "nodes", "--no-headers");
        (await first).OrFail().ShouldContain("openshell");
        (await second).OrFail().ShouldContain("openshell");
        var woken = await golden.StatusAsync(Name);
        (woken.GetProperty("phase").GetString(), woken.GetProperty("apiServer").GetString(), woken.GetProperty("endpoint").GetString()).ShouldBe(("ready", server, gateway));
        CopyChecks.Stage(woken, "kernel").ShouldBe("skipped");
        (await golden.InGuestAsync(Name, "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
        (await golden.Gateway.RunAsync("port", "list", "--name", Name)).OrFail().ShouldContain(socket);

        await SleepsAsync();
        using (var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await caller.ConnectAsync(new UnixDomainSocketEndPoint(socket), TestContext.Current.CancellationToken);
            await Eventually.HoldsAsync("a caller of its socket wakes it", async () => await PhaseAsync() == "ready", Patience);
        }

        // Whoever held its ports is gone: it is what it was, and goes on when it is started.
        await SleepsAsync();
        var supervisor = (await golden.StatusAsync(Name)).GetProperty("processes").GetProperty("supervisor").Deserialize(InstanceJson.Default.ProcessIdentity)!;
        ProcessIdentities.Signal(supervisor, SigKill);
        await Eventually.HoldsAsync("its supervisor is gone", () => Task.FromResult(!ProcessIdentities.IsAlive(supervisor)), Patience);
        (await PhaseAsync()).ShouldBe("suspended");
        await golden.ResumeAsync(Name, "--idle-suspend", "20s");
        (await golden.InGuestAsync(Name, "cat /run/in-memory-only")).Trim().ShouldBe("remembered");

        // One that is suspended while it sleeps stays so until it is started.
        await SleepsAsync();
        (await golden.Gateway.RunAsync("suspend", "--name", Name)).OrFail();
        (await PhaseAsync()).ShouldBe("suspended");
        Leftovers.Of(golden.Home).Where(left => left.Contains(Name, StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private Task SleepsAsync() => Eventually.HoldsAsync("it sleeps", async () => await PhaseAsync() == "suspended", Patience);

    private async Task<string?> PhaseAsync() => (await golden.StatusAsync(Name)).GetProperty("phase").GetString();
}

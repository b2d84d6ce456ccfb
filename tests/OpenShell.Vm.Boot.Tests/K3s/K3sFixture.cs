using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Cluster;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>One cluster of the distribution k3s, brought up as a user would with a program of it, that all tests of a collection share.</summary>
public abstract class K3sFixture : IAsyncLifetime
{
    // A busy machine emulates slowly: what is looked at here is not how fast it is.
    private const string Patience = "20m";

    private string? _program;
    private string? _skipped;
    private Exception? _failure;

    internal TestHome Home { get; } = new();

    internal GatewayCli Gateway => new(Home);

    internal const string Name = "k3s-test";

    internal Kubectl Kubectl => new(Path.Combine(Home.Home, ".kube", $"gateway-{Name}.yaml"), Home);

    /// <summary>The program to run, or why there is none.</summary>
    private protected abstract Task<(string? Program, string? Skipped)> FindAsync();

    /// <summary>Before each test: the cluster is up, or the test is skipped, or it fails with what kept the cluster from coming up.</summary>
    internal void Require()
    {
        if (_skipped is not null)
            Assert.Skip(_skipped);
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        if (_failure is not null)
            throw new InvalidOperationException("The cluster did not come up: " + _failure.Message, _failure);
    }

    internal async Task<JsonElement> StatusAsync()
    {
        using var json = JsonDocument.Parse((await GatewayAsync("status", "--output", "json")).OrFail());
        return json.RootElement.Clone();
    }

    internal Task<Finished> GatewayAsync(string command, params IReadOnlyList<string> arguments) => Gateway.RunAsync([command, "--name", Name, .. arguments]);

    /// <summary>A line of shell in the guest.</summary>
    internal async Task<string> ShellAsync(string line) => (await GatewayAsync("exec", "--", "sh", "-c", line)).OrFail();

    /// <summary>Writes a file in the guest.</summary>
    internal async Task PutAsync(string path, byte[] content) =>
        (await Gateway.RunAsync(TimeSpan.FromMinutes(5), content, "exec", "--name", Name, "-i", "--", "sh", "-c", $"cat > {path}.new && mv {path}.new {path}")).OrFail();

    /// <summary>Starts it with the program.</summary>
    internal async Task StartAsync() =>
        (await Gateway.StartAsync("up", "--name", Name, "--detach", "--timeout", Patience, "--distribution", "k3s", "--k3s-binary", _program!)).OrFail();

    /// <summary>Starts it again as one does later: what it is, it knows itself.</summary>
    internal async Task StartAgainAsync() => (await Gateway.StartAsync("up", "--name", Name, "--detach", "--timeout", Patience)).OrFail();

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        try
        {
            (_program, _skipped) = await FindAsync();
            if (_program is not null)
                await StartAsync();
        }
#pragma warning disable CA1031 // Told by every test that needs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        if (_program is not null)
            await GatewayAsync("stop");
        Home.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>With the stand-in.</summary>
public sealed class StandInFixture : K3sFixture
{
    private protected override async Task<(string? Program, string? Skipped)> FindAsync() => (await K3sProgram.StandInAsync(), null);
}

/// <summary>With the real one.</summary>
public sealed class RealK3sFixture : K3sFixture
{
    private protected override Task<(string? Program, string? Skipped)> FindAsync() => Task.FromResult(K3sProgram.Real is { } program
        ? (program, (string?)null)
        : (null, $"a real k3s is needed: name its program with {K3sProgram.Variable} (its air-gap archive beside it)"));
}

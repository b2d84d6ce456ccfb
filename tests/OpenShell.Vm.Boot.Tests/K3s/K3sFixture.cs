using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>One cluster of the distribution k3s, brought up as a user would with a program of it, that all tests of a collection share.</summary>
public abstract class K3sFixture : TestCluster
{
    // A busy machine emulates slowly: what is looked at here is not how fast it is.
    private const string Patience = "30m";

    private string? _program;
    private string? _skipped;
    private Exception? _failure;

    internal override string Name => "k3s-test";

    internal override string Volumes => "/var/lib/rancher/k3s/storage";

    /// <summary>What a user of k3s sees: one program, and its containerd.</summary>
    internal override IReadOnlyList<Component> Components { get; } = [new("k3s", "k3s", "server"), new("containerd", "containerd")];

    /// <summary>The program to run, or why there is none.</summary>
    private protected abstract Task<(string? Program, string? Skipped)> FindAsync();

    internal override async Task RequireAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        if (_skipped is not null)
            Assert.Skip(_skipped);
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        if (_failure is not null)
            throw new InvalidOperationException("The cluster did not come up: " + _failure.Message, _failure);
    }

    /// <summary>Writes a file in the guest.</summary>
    internal async Task PutAsync(string path, byte[] content) =>
        (await Gateway.RunAsync(TimeSpan.FromMinutes(5), content, "exec", "--name", Name, "-i", "--", "sh", "-c", $"cat > {path}.new && mv {path}.new {path}")).OrFail();

    /// <summary>As one does later: what it is, it knows itself.</summary>
    internal override Task StartAgainAsync() => StartAsync();

    public override async ValueTask InitializeAsync()
    {
        try
        {
            (_program, _skipped) = await FindAsync();
            if (_program is not null)
                await StartAsync("--distribution", "k3s", "--k3s-binary", _program, "--chart", TestChart.Write(Home.Root));
        }
#pragma warning disable CA1031 // Told by every test that needs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_program is not null)
            await GatewayAsync("stop");
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task StartAsync(params string[] options)
    {
        (await Gateway.StartAsync(["up", "--name", Name, "--detach", "--timeout", Patience, "-p", $"{NodePortOnHost}:{NodePort}", .. options])).OrFail();
        Starts++;
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

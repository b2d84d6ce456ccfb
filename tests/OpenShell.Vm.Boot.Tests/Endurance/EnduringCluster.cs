using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Endurance;

/// <summary>A cluster of a test of its own, started and stopped by it.</summary>
internal sealed class EnduringCluster : TestCluster
{
    /// <summary>What is looked at is what is lost and what grows: a busy machine emulates slowly.</summary>
    private const string Patience = "20m";

    internal override string Name => "endurance";

    internal override string Volumes => "/var/lib/openshell/volumes";

    internal override IReadOnlyList<Component> Components => [];

    internal override async Task RequireAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
    }

    internal override async Task StartAgainAsync()
    {
        (await Gateway.StartAsync("up", "--name", Name, "--detach", "--distribution", "upstream", "--timeout", Patience)).OrFail();
        Starts++;
    }

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        if (Starts > 0)
            await GatewayAsync("stop", "--force");
        await base.DisposeAsync();
    }
}

using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary>A test that boots machines of its own, each for one program, and makes sure that nothing of them is left.</summary>
public abstract class ProgramTest : IAsyncLifetime
{
    internal TestHome Home { get; } = new();

    internal GatewayCli Gateway => new(Home);

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        try
        {
            Leftovers.Of(Home).ShouldBeEmpty();
        }
        finally
        {
            Home.Dispose();
        }
        return ValueTask.CompletedTask;
    }
}

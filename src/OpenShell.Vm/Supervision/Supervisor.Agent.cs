using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Supervision;

/// <summary>The agent's channel and the broker that shares it.</summary>
internal sealed partial class Supervisor
{
    private Task<IGuestAgent> ConnectAgentAsync(BootPlan plan, CancellationToken cancellationToken) => throw new FaultException(new Fault
    {
        Code = "host.not-built",
        What = $"The agent's channel {plan.AgentSocket} is not built yet {MakeGuestConfig().Mode} {cancellationToken}.",
        Remedy = $"Use a newer build. {(Action<Protocol.Messages.StageReport>)OnReport}",
    });

    private static Task EndBrokerAsync() => Task.CompletedTask;
}

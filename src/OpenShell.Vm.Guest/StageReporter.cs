using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest;

/// <summary>Tells the host what happens, and the console what failed.</summary>
internal sealed class StageReporter(AgentServer agent) : IStageReporter
{
    /// <inheritdoc/>
    public void Report(string stage, StageState state, string? detail = null, GuestFault? fault = null, ServiceEnd? ended = null)
    {
        if (fault is not null)
            KernelConsole.Say($"FAULT {fault.Code} in {stage}: {fault.What} {fault.Remedy}");
        var report = new StageReport { Stage = stage, State = state, UptimeNanoseconds = Uptime.Nanoseconds, Detail = detail, Fault = fault, Ended = ended };
        // Queued at once by contract; a host that is not there must not hold up the boot.
        _ = agent.ReportAsync(report).AsTask();
    }
}

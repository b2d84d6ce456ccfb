using OpenShell.Vm.Guests;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Supervision;

/// <summary>The agent's channel, and the broker that shares it with other processes of the user.</summary>
internal sealed partial class Supervisor
{
    private AgentBroker? _broker;

    /// <summary>The agent of the machine that runs, from its first word on. <see cref="Agent"/> is told only of one that the run stands or falls with.</summary>
    private GuestAgent? _guest;

    /// <summary>From the start of the run, so that it can be stopped at any time.</summary>
    private void StartBroker()
    {
        if (_lock is null)
            return;
        _broker = AgentBroker.Start(_files.AgentSocket);
        _broker.Register(SupervisorCall.StopService, AnswerStopAsync);
        RegisterPorts(_broker);
        RegisterSaving(_broker);
    }

    /// <summary>Answered at once: the end takes its time, and whoever asked watches the lock.</summary>
    private Task<byte[]> AnswerStopAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var forced = SupervisorCall.IsForced(request);
        if (StopAsked is { } asked)
            asked(forced);
        else
            _ = Task.Run(() => StopAsync(forced, "a client"), CancellationToken.None);
        return Task.FromResult<byte[]>([]);
    }

    private async Task<GuestAgent> ConnectAgentAsync(BootPlan plan, CancellationToken cancellationToken)
    {
        var reports = new ActionProgress<StageReport>(OnReport);
        var agent = plan.Krun is null
            ? await GuestAgent.ConnectAsync(plan.AgentSocket, MakeGuestConfig(), reports, cancellationToken).ConfigureAwait(false)
            : await GuestAgent.DialAsync(plan.AgentSocket, MakeGuestConfig(), reports, cancellationToken).ConfigureAwait(false);
        Attach(agent);
        _log.Say($"hello from {agent.Peer}");
        return agent;
    }

    private void Attach(GuestAgent agent)
    {
        _guest = agent;
        _broker?.Attach(agent);
    }

    private async Task EndBrokerAsync()
    {
        _broker?.Detach();
        if (_broker is { } broker)
            await broker.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _guest, null) is { } guest)
            await guest.DisposeAsync().ConfigureAwait(false);
    }
}

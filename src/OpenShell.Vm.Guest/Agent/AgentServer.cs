using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>
/// The guest's end of the agent channel: says hello until the host answers, then serves exec, files and power, and says hello again whenever the
/// host goes away, until disposed.
/// </summary>
public sealed class AgentServer : IAsyncDisposable
{
    /// <summary>Describes the server; nothing happens before <see cref="ConnectAsync"/>.</summary>
    /// <param name="port">Where the host is.</param>
    /// <param name="reaper">Waits for the programs that the host starts.</param>
    /// <param name="power">Called when the host asks for the end; returns once the request is accepted (the work is then under way), or throws to refuse.</param>
    /// <param name="options">What can be left at its default.</param>
    public AgentServer(AgentPort port, ChildReaper reaper, Func<PowerRequest, CancellationToken, Task> power, AgentServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(port);
        ArgumentNullException.ThrowIfNull(reaper);
        ArgumentNullException.ThrowIfNull(power);
        _ = options;
    }

    /// <summary>Starts serving (once) and completes with the configuration of the first host that sends one. Waits without limit.</summary>
    public Task<GuestConfig> ConnectAsync(CancellationToken cancellationToken = default) =>
        throw new NotImplementedException("The agent channel is not built yet.");

    /// <summary>
    /// Sends a report to the host. Returns at once: reports wait in a bounded queue while no host is connected, and the oldest give way when it is full.
    /// </summary>
    public ValueTask ReportAsync(StageReport report, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException("The agent channel is not built yet.");

    /// <summary>Ends all sessions and kills the programs that they started.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

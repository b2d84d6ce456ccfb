using System.Collections.Concurrent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Runs programs for the host. Signals and sizes come on streams of their own, so that neither waits behind stdin that nobody reads.</summary>
internal sealed class ExecService(ProcessLauncher launcher, Func<IReadOnlyList<string>> environment)
{
    private readonly ConcurrentDictionary<string, ExecSession> _sessions = new();

    public async Task RunAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = ExecRequestRules.Check(stream.Service, stream.ReadHeader(ProtocolJson.Default.ExecRequest));
        ExecSession session;
        try
        {
            session = ExecSession.Start(launcher, request, environment());
        }
        catch (SpawnException e)
        {
            var result = new ExecResult { ExitCode = e.ExitCode, Error = e.Message };
            await stream.WriteAsync(MessageKinds.Exit, result, ProtocolJson.Default.ExecResult, cancellationToken).ConfigureAwait(false);
            return;
        }
        using (session)
        {
            _sessions[session.Id] = session;
            try
            {
                await session.RunAsync(stream, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _sessions.TryRemove(session.Id, out _);
            }
        }
    }

    public Task SignalAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.ExecSignal);
        if (request.Signal is < 1 or > 64)
            throw ServiceJson.Invalid(stream.Service, $"{request.Signal} is not the number of a signal.");
        return Find(request.Id).Process.SignalGroup(request.Signal) ? Task.CompletedTask : throw Ended();
    }

    public Task ResizeAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.ExecResize);
        ExecRequestRules.Check(stream.Service, request.Size);
        Find(request.Id).Resize(request.Size);
        return Task.CompletedTask;
    }

    private ExecSession Find(string id) => _sessions.TryGetValue(id, out var session) ? session : throw Ended();

    private static MuxStreamException Ended() => new(ProtocolCode.NotFound, "The program has ended.");
}

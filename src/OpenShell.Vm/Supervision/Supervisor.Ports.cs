using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Supervision;

/// <summary>Forwards that come and go while the machine runs. They stand in the instance's configuration, and so come back with the next start.</summary>
internal sealed partial class Supervisor
{
    // One change at a time: what is checked must still hold when it is done.
    private readonly SemaphoreSlim _forwarding = new(1);
    private readonly TaskCompletionSource _networkUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void RegisterPorts(Guests.AgentBroker broker)
    {
        broker.Register(SupervisorCall.AddPortService, (request, token) => AnswerAsync(request, InstanceJson.Default.PortForward, AddPortAsync, token));
        broker.Register(SupervisorCall.RemovePortService, (request, token) => AnswerAsync(request, InstanceJson.Default.String, RemovePortAsync, token));
        broker.Register(SupervisorCall.ListPortsService, async (_, token) => JsonSerializer.SerializeToUtf8Bytes(await ListPortsAsync(token).ConfigureAwait(false), InstanceJson.Default.PortReply));
    }

    /// <summary>A fault is an answer too: as an error of the stream it would lose its remedy.</summary>
    private async Task<byte[]> AnswerAsync<T>(ReadOnlyMemory<byte> request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Func<T, CancellationToken, Task<PortForward>> change, CancellationToken cancellationToken)
    {
        PortReply reply;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _running.Token);
        try
        {
            RequireChangeable();
            var asked = JsonSerializer.Deserialize(request.Span, type) ?? throw new JsonException("it is null");
            await _networkUp.Task.WaitAsync(either.Token).ConfigureAwait(false);
            await _forwarding.WaitAsync(either.Token).ConfigureAwait(false);
            try
            {
                reply = new PortReply { Ports = [State(await change(asked, either.Token).ConfigureAwait(false), inForce: true)] };
            }
            finally
            {
                _forwarding.Release();
            }
        }
        catch (FaultException e)
        {
            reply = new PortReply { Faults = e.Faults };
        }
        catch (Exception e) when (IsSilence(e) && !either.IsCancellationRequested)
        {
            reply = new PortReply { Faults = [GvproxySilent(e)] };
        }
        catch (JsonException e)
        {
            reply = new PortReply { Faults = [InstanceValidator.Usage("network.forward-invalid", $"The forward cannot be read: {e.Message}", "Use the same version of the command for both.")] };
        }

        return JsonSerializer.SerializeToUtf8Bytes(reply, InstanceJson.Default.PortReply);
    }

    private async Task<PortForward> AddPortAsync(PortForward asked, CancellationToken cancellationToken)
    {
        PortRules.ThrowIfWrong(asked);
        foreach (var there in _ports.All)
        {
            if (there == asked || there.ClashesWith(asked))
                throw PortFaults.AlreadyForwarded(asked, there, PurposeOf(there));
        }

        PortForward forward;
        try
        {
            forward = PortPlanner.Settle(asked);
        }
        catch (SocketException e)
        {
            throw PortFaults.NotAllowed(asked, $"'{asked.Text()}'", e);
        }

        if (PortCheck.WhyNot(forward, $"'{forward.Text()}'") is { } fault)
            throw new FaultException(fault);
        using var client = new GvproxyClient(_files.NetworkControlSocket);
        await client.ExposeAsync(forward, cancellationToken).ConfigureAwait(false);
        try
        {
            ChangeConfig(config => config with { AddedPorts = [.. config.AddedPorts, forward] });
        }
        catch
        {
            // Not kept, so not made either: an answer must be true after the next start too.
            await client.UnexposeAsync(forward, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        SetPorts([.. _ports.User, forward]);
        _events.Report(EventNames.ForwardAdded, $"{forward.Text()} is forwarded", forward.HostEnd());
        return forward;
    }

    private async Task<PortForward> RemovePortAsync(string asked, CancellationToken cancellationToken)
    {
        var forward = PortRules.One(asked, _ports.All);
        if (PurposeOf(forward) is { } purpose)
            throw PortFaults.Needed(forward, purpose);
        using var client = new GvproxyClient(_files.NetworkControlSocket);

        // One that is lost gvproxy does not know.
        var inForce = (await client.ListAsync(cancellationToken).ConfigureAwait(false)).Contains(forward);
        if (inForce)
            await client.UnexposeAsync(forward, cancellationToken).ConfigureAwait(false);
        try
        {
            ChangeConfig(config => PortRules.Without(config, forward));
        }
        catch when (inForce)
        {
            // Still kept, so still there: as with one that is added.
            await client.ExposeAsync(forward, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        if (forward.HostSocket is { } socket)
            SocketFile.RemoveStale(socket);
        SetPorts([.. _ports.User.Where(f => f != forward)]);
        _events.Report(EventNames.ForwardRemoved, $"{forward.Text()} is not forwarded any more", forward.HostEnd());
        return forward;
    }

    private async Task<PortReply> ListPortsAsync(CancellationToken cancellationToken)
    {
        if (_config.Network != NetworkNames.Gvproxy || !_networkUp.Task.IsCompletedSuccessfully)
            return new PortReply { Ports = [.. _ports.All.Select(f => State(f, inForce: _networkUp.Task.IsCompletedSuccessfully || _config.Network == NetworkNames.Tsi))] };
        using var client = new GvproxyClient(_files.NetworkControlSocket);
        try
        {
            var inForce = await client.ListAsync(cancellationToken).ConfigureAwait(false);
            return new PortReply { Ports = [.. _ports.All.Select(f => State(f, inForce.Contains(f)))] };
        }
        catch (Exception e) when (IsSilence(e) && !cancellationToken.IsCancellationRequested)
        {
            return new PortReply { Faults = [GvproxySilent(e)] };
        }
    }

    /// <summary>gvproxy hangs, or is just being replaced.</summary>
    private static bool IsSilence(Exception e) => e is HttpRequestException or IOException or SocketException or OperationCanceledException;

    private Fault GvproxySilent(Exception e) => new()
    {
        Code = "network.gvproxy-silent",
        What = $"gvproxy, which forwards the ports of {_config.Name}, does not answer: {e.Message.TrimEnd('.')}. Nothing was changed.",
        Remedy = "Try again: one that hangs is replaced within a minute.",
        Log = _files.GvproxyLog,
    };

    private void RequireChangeable()
    {
        if (_config.Network != NetworkNames.Gvproxy)
            throw PortFaults.Fixed(_config.Network);
    }

    private PortState State(PortForward forward, bool inForce) => new(forward, PurposeOf(forward), inForce);

    /// <summary>Whose it is, if it is not the user's.</summary>
    private string? PurposeOf(PortForward forward) => forward == _ports.Gateway ? "the gateway" : forward == _ports.ApiServer ? "the API server" : null;

    private void SetPorts(IReadOnlyList<PortForward> user)
    {
        _ports = _ports with { User = user };
        _status.Change(status => status with { Ports = _ports.All });
    }

    /// <summary>Read anew: the file may have been edited since the start.</summary>
    private void ChangeConfig(Func<InstanceConfig, InstanceConfig> change) => new InstanceStore(_options.Directories).ChangeConfig(InstanceName.Parse(_config.Name), change);
}

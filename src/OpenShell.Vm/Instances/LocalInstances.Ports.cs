using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public async Task<PortState> AddPortAsync(string name, PortForward forward, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(forward);
        PortRules.ThrowIfWrong(forward);
        var files = FilesOfKnown(name);
        if (InstanceLock.SupervisorOf(files) is not null)
            return (await AskAsync(files, SupervisorCall.AddPortService, forward, InstanceJson.Default.PortForward, cancellationToken).ConfigureAwait(false)).Ports[0];
        return AtRest(name, files, "port add", config =>
        {
            if (config.Network != NetworkNames.Gvproxy)
                throw PortFaults.Fixed(config.Network);
            if (config.Ports.Concat(config.AddedPorts).FirstOrDefault(there => there == forward || there.ClashesWith(forward)) is { } there)
                throw PortFaults.AlreadyForwarded(forward, there, null);
            var changed = config with { AddedPorts = [.. config.AddedPorts, forward] };
            Validate(changed);
            return (changed, forward);
        });
    }

    /// <inheritdoc/>
    public async Task<PortState> RemovePortAsync(string name, string forward, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        if (InstanceLock.SupervisorOf(files) is not null)
            return (await AskAsync(files, SupervisorCall.RemovePortService, forward, InstanceJson.Default.String, cancellationToken).ConfigureAwait(false)).Ports[0];
        return AtRest(name, files, "port remove", config =>
        {
            var meant = PortRules.One(forward, [.. config.Ports, .. config.AddedPorts]);
            return (PortRules.Without(config, meant), meant);
        });
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PortState>> ListPortsAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        if (InstanceLock.SupervisorOf(files) is not null)
            return (await AskAsync(files, SupervisorCall.ListPortsService, "", InstanceJson.Default.String, cancellationToken).ConfigureAwait(false)).Ports;
        var config = _store.ReadConfig(InstanceName.Parse(name));
        return [.. config.Ports.Concat(config.AddedPorts).Select(forward => new PortState(forward, null, InForce: false))];
    }

    private static async Task<PortReply> AskAsync<T>(InstanceFiles files, string service, T request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await using var supervisor = await GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: cancellationToken).ConfigureAwait(false);
        var answer = await supervisor.CallAsync(service, JsonSerializer.SerializeToUtf8Bytes(request, type), cancellationToken).ConfigureAwait(false);
        var reply = JsonSerializer.Deserialize(answer, InstanceJson.Default.PortReply)!;
        return reply.Faults.Count == 0 ? reply : throw new FaultException(reply.Faults);
    }

    /// <summary>Changes the configuration of an instance that does not run; under its lock, so that no start reads half of it.</summary>
    private PortState AtRest(string name, InstanceFiles files, string purpose, Func<InstanceConfig, (InstanceConfig Config, PortForward Forward)> change)
    {
        using var held = InstanceLock.Acquire(files, name, purpose);
        PortForward? changed = null;
        _store.ChangeConfig(InstanceName.Parse(name), config =>
        {
            (config, changed) = change(config);
            return config;
        });
        return new PortState(changed!, null, InForce: false);
    }

    /// <summary>Forwards that were added to an instance are its own: a start that does not name them keeps them. One that is asked for again is not there twice.</summary>
    private InstanceConfig WithAddedPorts(InstanceConfig config)
    {
        if (config.Network != NetworkNames.Gvproxy || LastConfig(config.Name) is not { } last)
            return config;
        return config with { AddedPorts = [.. config.AddedPorts.Count > 0 ? config.AddedPorts : last.AddedPorts.Where(f => !config.Ports.Contains(f))] };
    }
}

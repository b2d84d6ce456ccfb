using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Upkeep;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The ports that the next start of the instance 'default' asks for.</summary>
internal sealed class PortsCheck : IHostCheck
{
    public string Name => "ports";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var running = (await context.Host.Instances.ListAsync(cancellationToken)).Where(i => i.Processes.Count > 0).ToList();
        if (running.FirstOrDefault(i => i.Name == InstanceName.Default) is { } own)
            return [.. own.Ports.Select(p => new CheckResult(NameOf(p), CheckState.Ok, $"used by the instance '{own.Name}', which runs"))];
        return [.. NextPorts.Of(await ConfigAsync(context, cancellationToken)).Select(finding => Result(finding, running))];
    }

    private static CheckResult Result(PortFinding finding, IReadOnlyList<InstanceStatus> running)
    {
        var name = NameOf(finding.Forward);
        if (finding.Fault is not { } fault)
            return new CheckResult(name, CheckState.Ok, $"free, for {finding.Purpose}");
        var what = running.FirstOrDefault(i => i.Ports.Any(p => p.ClashesWith(finding.Forward))) is { } holder ? $"used by the instance '{holder.Name}', which runs" : fault.What;
        if (!finding.IsFixed)
            return new CheckResult(name, CheckState.Ok, $"{what} The start takes another for {finding.Purpose}.");
        return new CheckResult(
            name,
            CheckState.Failed,
            what,
            finding.Forward.GuestPort == Vm.Networking.GuestNetworkPlan.GatewayPort ? $"{fault.Remedy} Another port for the gateway: gateway up --gateway-port 0" : fault.Remedy);
    }

    /// <summary>As the start will have it; a configuration that cannot be read is told by another check.</summary>
    private static async Task<InstanceConfig> ConfigAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var none = new InstanceConfig { Name = InstanceName.Default };
        try
        {
            return await context.Host.Instances.ConfigAsync(InstanceName.Default, cancellationToken) ?? none;
        }
        catch (FaultException)
        {
            return none;
        }
    }

    private static string NameOf(PortForward forward) => forward.HostSocket is { } socket
        ? $"socket {socket}"
        : string.Create(CultureInfo.InvariantCulture, $"port {forward.HostPort}{(forward.Protocol == PortProtocol.Udp ? "/udp" : "")}");
}

using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The instances that there are.</summary>
internal sealed class InstancesCheck : IHostCheck
{
    public string Name => "instance";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken) =>
    [
        .. (await context.Host.Instances.ListAsync(cancellationToken)).Select(i => new CheckResult(
            $"{Name} {i.Name}",
            i.Phase is InstancePhase.Failed or InstancePhase.Broken ? CheckState.Warning : CheckState.Ok,
            i.Fault is { } fault ? $"{CliJson.Word(i.Phase)}: {fault.What}" : CliJson.Word(i.Phase),
            i.Fault?.Remedy)),
    ];
}

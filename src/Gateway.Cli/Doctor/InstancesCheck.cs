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
            State(i),
            i.Fault is { } fault ? $"{CliJson.Word(i.Phase)}: {fault.What}" : CliJson.Word(i.Phase),
            i.Fault?.Remedy)),
    ];

    // A start that failed can be tried again; files that cannot be read keep 'up' from working, which is about 'default' where none is named.
    private static CheckState State(InstanceStatus instance) => instance.Phase switch
    {
        InstancePhase.Broken when instance.Name == InstanceName.Default => CheckState.Failed,
        InstancePhase.Broken or InstancePhase.Failed => CheckState.Warning,
        InstancePhase.Stopping when instance.Fault is not null => CheckState.Warning,
        _ => CheckState.Ok,
    };
}

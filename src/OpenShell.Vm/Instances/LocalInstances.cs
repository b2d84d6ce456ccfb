using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>The instances of this host and user.</summary>
public sealed partial class LocalInstances(InstancesOptions options) : IInstances
{
    /// <summary>What it was made with.</summary>
    public InstancesOptions Options { get; } = options;

    /// <inheritdoc/>
    public Task<IReadOnlyList<InstanceStatus>> ListAsync(CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task<InstanceStatus?> FindAsync(string name, CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task<StartPlan> PlanAsync(InstanceConfig config, CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task<IRunningInstance> RunAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default) => throw Missing();

    /// <summary>
    /// The body of the supervisor that <see cref="StartDetachedAsync"/> starts: leaves the caller's session and terminal, runs the stored configuration
    /// of that name and returns the process's exit code once nothing of the instance is left.
    /// </summary>
    public Task<int> SuperviseAsync(string name) => Options.Directories is null ? Task.FromResult(1) : throw Missing();

    /// <inheritdoc/>
    public Task StopAsync(string name, bool force = false, CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) => throw Missing();

    /// <inheritdoc/>
    public Task<IGuestAgent> ConnectAsync(string name, CancellationToken cancellationToken = default) => throw Missing();

    private static FaultException Missing() => new(new Fault
    {
        Code = "host.not-built",
        What = "This part of the program is not built yet.",
        Remedy = "Use a newer build.",
    });
}

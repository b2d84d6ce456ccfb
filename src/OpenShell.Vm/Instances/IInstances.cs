using OpenShell.Vm.Guests;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>The library's front door: everything that the command does with instances. All failures that a user can meet are <see cref="Faults.FaultException"/>s.</summary>
public interface IInstances
{
    /// <summary>Every instance on this host; one that cannot be read is listed as <see cref="InstancePhase.Broken"/>, never thrown.</summary>
    Task<IReadOnlyList<InstanceStatus>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>One instance; <see langword="null"/> if there is none of that name.</summary>
    Task<InstanceStatus?> FindAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>What would be started for this configuration, without starting or building anything.</summary>
    Task<StartPlan> PlanAsync(InstanceConfig config, CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts an instance whose supervisor is this process, and returns at once; its timeline goes to <paramref name="progress"/>. What <paramref name="config"/> leaves out is as it is stored once this
    /// start has the instance (<see cref="StoredConfig"/>).
    /// </summary>
    Task<IRunningInstance> RunAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts an instance under a supervisor of its own (<paramref name="supervisor"/>: program and arguments that lead to <see cref="RunAsync"/>
    /// with what is asked for here) and returns when it is ready. Cancelling stops the instance again.
    /// </summary>
    Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Stops a running instance in order; with <paramref name="force"/> at once. Completes when nothing of it is left.</summary>
    Task StopAsync(string name, bool force = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes a stopped instance and everything that was written for it. Refused while clones stand on its disk (<c>instance.has-clones</c>), unless
    /// <paramref name="flatten"/>: then they are made independent first.
    /// </summary>
    Task DeleteAsync(string name, bool flatten = false, CancellationToken cancellationToken = default);

    /// <summary>The stored configuration; <see langword="null"/> if there is none of that name.</summary>
    /// <exception cref="Faults.FaultException">It cannot be read, or is a newer version's.</exception>
    Task<InstanceConfig?> ConfigAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Changes the stored configuration; a running instance goes on as it is until its next start, but for its restart policy, which is read when it ends.</summary>
    /// <returns>The configuration as it is now.</returns>
    /// <exception cref="Faults.FaultException">It would not be valid; nothing was changed.</exception>
    Task<InstanceConfig> EditAsync(string name, Func<InstanceConfig, InstanceConfig> change, CancellationToken cancellationToken = default);

    /// <summary>Throws away all that a stopped instance has on its disk, and what was written for clients; the configuration stays.</summary>
    Task ResetAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>The same for a start that is to follow: what is wrong with that, of all that can be told before it begins (values, files, ports, what the host lacks), is told before anything is thrown away.</summary>
    /// <exception cref="Faults.FaultException">The start would be refused, or the instance runs: nothing was changed.</exception>
    Task ResetForAsync(InstanceConfig config, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes new instances with the data of one, ports of their own and identities of their own. They take no space until they differ. Of a suspended instance they have the memory too and go on
    /// where it was, if that can be told whom it is (the instance began as a copy itself, as of a golden image); otherwise they boot from its disk. One that runs is suspended for as long as that
    /// takes, and goes on by itself.
    /// </summary>
    /// <exception cref="Faults.FaultException">A name is taken: nothing was made. Or one of them could not be made; those before it were.</exception>
    Task<IReadOnlyList<InstanceStatus>> CloneAsync(string source, IReadOnlyList<string> destinations, CancellationToken cancellationToken = default);

    /// <summary>How large the disk of an instance is, in its several senses; <see langword="null"/>: it has none yet.</summary>
    Task<Disks.DiskUse?> DiskAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Gives back to the host what an instance's disk does not use: trimmed by the guest while it runs, written anew while it does not, in one with its bases on which no other instance stands.</summary>
    Task<Disks.DiskUse> CompactAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Makes an instance's disk larger; the guest follows at its next start.</summary>
    /// <returns>Whether the disk itself has grown already: a running instance's does so at its next start, as does one that is not made yet.</returns>
    /// <exception cref="Faults.FaultException">It is suspended (<c>instance.suspended</c>): its next start goes on with the disk that it had.</exception>
    Task<bool> ResizeDiskAsync(string name, int gib, CancellationToken cancellationToken = default);

    /// <summary>Adds a forward: to the machine if it runs, and to the configuration for the starts to come.</summary>
    /// <returns>The forward, with a port in place of 0 if the machine runs.</returns>
    /// <exception cref="Faults.FaultException">It cannot be had, or is there.</exception>
    Task<PortState> AddPortAsync(string name, PortForward forward, CancellationToken cancellationToken = default);

    /// <summary>Removes a forward, by its end on the host or as it was added (<see cref="PortForwardText.Find"/>).</summary>
    /// <exception cref="Faults.FaultException">There is none such, or it is the instance's own.</exception>
    Task<PortState> RemovePortAsync(string name, string forward, CancellationToken cancellationToken = default);

    /// <summary>The forwards of an instance; of one that does not run those that its next start is to have.</summary>
    Task<IReadOnlyList<PortState>> ListPortsAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Saves a running instance with its memory and ends it; its next start goes on from there. Completes when nothing of it runs. A suspended one stays suspended.</summary>
    /// <exception cref="Faults.FaultException">It cannot be saved (<c>snapshot.unsupported</c>, <c>snapshot.no-space</c>, ...): it runs on.</exception>
    Task SuspendAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Wakes an instance that was suspended because nobody used it (<see cref="InstanceConfig.IdleSuspend"/>), as a call to one of its ports does.</summary>
    /// <returns>The instance, ready; <see langword="null"/>: it does not sleep.</returns>
    Task<InstanceStatus?> WakeAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Holds a running instance: it takes no processor time, and keeps its memory.</summary>
    Task PauseAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Lets a paused instance go on, with its clock set.</summary>
    Task UnpauseAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Bakes the golden image that new instances of a configuration begin as, or finds it. Its name, ports and restart policy are of no account.</summary>
    /// <exception cref="Faults.FaultException">There can be none of it (<c>snapshot.unsupported</c>), or it did not become ready.</exception>
    Task<Snapshots.GoldenImage> BakeAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>The golden image that a new instance of a configuration would begin as; <see langword="null"/>: none is baked.</summary>
    Task<Snapshots.GoldenImage?> FindGoldenAsync(InstanceConfig config, CancellationToken cancellationToken = default);

    /// <summary>The agent of a running instance, through its supervisor's broker.</summary>
    Task<IGuestAgent> ConnectAsync(string name, CancellationToken cancellationToken = default);
}

/// <summary>A plan as <c>gateway plan</c> prints it.</summary>
/// <param name="Config">The configuration with every default filled in.</param>
/// <param name="Host">What the decision was made by.</param>
/// <param name="Plan">The machine.</param>
/// <param name="Processes">The processes, in the order in which they would be started.</param>
/// <param name="Notes">What the user should know, such as what software emulation costs.</param>
public sealed record StartPlan(InstanceConfig Config, HostFacts Host, BootPlan Plan, IReadOnlyList<Hypervisors.LaunchSpec> Processes, IReadOnlyList<string> Notes);

/// <summary>An instance whose supervisor is this process.</summary>
public interface IRunningInstance : IAsyncDisposable
{
    /// <summary>Completes when the instance is ready; faults with a <see cref="Faults.FaultException"/> when it cannot become so.</summary>
    Task<InstanceStatus> Ready { get; }

    /// <summary>Completes when nothing of it is left: 0 after an orderly stop, the program's exit code in exec mode. Faults when the machine was lost.</summary>
    Task<int> Completion { get; }

    /// <summary>The guest's agent, once there is one.</summary>
    Task<IGuestAgent> Agent { get; }

    /// <summary>In exec mode, the program with its streams, once it runs.</summary>
    Task<IGuestProcess> Process { get; }

    /// <summary>Stops it in order; a second call, or <paramref name="force"/>, at once.</summary>
    Task StopAsync(bool force = false);
}

namespace OpenShell.Vm.Events;

/// <summary>
/// The names of everything that happens to an instance and is told. Programs match on them: a name is never changed nor given another meaning, only added. Whoever notices something reports it by
/// <see cref="EventLog.Report"/> with one of these.
/// </summary>
public static class EventNames
{
    /// <summary>A start began.</summary>
    public const string Starting = "instance.starting";

    /// <summary>The gateway answered.</summary>
    public const string Ready = "instance.ready";

    /// <summary>It is being stopped, or its guest powered itself off.</summary>
    public const string Stopping = "instance.stopping";

    /// <summary>It ended in order.</summary>
    public const string Stopped = "instance.stopped";

    /// <summary>It ended otherwise, or could not start.</summary>
    public const string Failed = "instance.failed";

    /// <summary>The instance was started again by its policy.</summary>
    public const string Restarted = "instance.restarted";

    /// <summary>The hypervisor's process runs.</summary>
    public const string MachineStarted = "machine.started";

    /// <summary>The hypervisor's process ended unasked.</summary>
    public const string MachineEnded = "machine.ended";

    /// <summary>The guest said nothing, or has gone silent.</summary>
    public const string MachineHung = "machine.hung";

    /// <summary>The guest's kernel panicked or reset itself.</summary>
    public const string MachinePanicked = "machine.panicked";

    /// <summary>gvproxy ended unasked.</summary>
    public const string GvproxyEnded = "gvproxy.ended";

    /// <summary>gvproxy was started again.</summary>
    public const string GvproxyRestarted = "gvproxy.restarted";

    /// <summary>A forward was added while the machine runs.</summary>
    public const string ForwardAdded = "forward.added";

    /// <summary>A forward was removed while the machine runs.</summary>
    public const string ForwardRemoved = "forward.removed";

    /// <summary>A forward does not lead to the guest any more.</summary>
    public const string ForwardLost = "forward.lost";

    /// <summary>A forward that was lost leads to the guest again.</summary>
    public const string ForwardRemade = "forward.remade";

    /// <summary>What serves a folder of the host to the guest has ended.</summary>
    public const string MountLost = "mount.lost";

    /// <summary>A service in the guest ended, or could not be started.</summary>
    public const string ServiceExited = "service.exited";

    /// <summary>A service that had ended is healthy again.</summary>
    public const string ServiceRestarted = "service.restarted";

    /// <summary>The connection to PID 1 was lost.</summary>
    public const string AgentLost = "agent.lost";

    /// <summary>The host's clock jumped: it slept, or was set.</summary>
    public const string ClockJumped = "clock.jumped";

    /// <summary>The host's network changed.</summary>
    public const string NetworkChanged = "network.changed";

    /// <summary>A disk, of the host or of the guest, is nearly full.</summary>
    public const string DiskNearlyFull = "disk.nearly-full";

    /// <summary>A disk that was nearly full has room again.</summary>
    public const string DiskRoomAgain = "disk.room-again";

    /// <summary>The file system on the guest's disk was damaged, and was repaired at a start.</summary>
    public const string DiskRepaired = "disk.repaired";

    /// <summary>The machine was told to end by the means that the subject names; there is another for each that did not work.</summary>
    public const string ShutdownStep = "shutdown.step";

    /// <summary>Certificates near their end were renewed.</summary>
    public const string CertificatesRenewed = "certificates.renewed";

    /// <summary>It goes on from a saved machine.</summary>
    public const string Resumed = "instance.resumed";

    /// <summary>A saved machine could not be gone on from; the instance boots.</summary>
    public const string ResumeFailed = "instance.resume-failed";

    /// <summary>Its memory was saved, and it ended.</summary>
    public const string Suspended = "instance.suspended";

    /// <summary>Its memory could not be saved; it runs on.</summary>
    public const string SuspendFailed = "instance.suspend-failed";

    /// <summary>It was suspended because nobody used it, and somebody calls.</summary>
    public const string Woken = "instance.woken";

    /// <summary>The machine is held, or goes on.</summary>
    public const string Paused = "machine.paused", Unpaused = "machine.unpaused";

    /// <summary>Each with how grave it is.</summary>
    public static IReadOnlyDictionary<string, EventSeverity> All { get; } = new Dictionary<string, EventSeverity>
    {
        [Starting] = EventSeverity.Info,
        [Ready] = EventSeverity.Info,
        [Stopping] = EventSeverity.Info,
        [Stopped] = EventSeverity.Info,
        [Failed] = EventSeverity.Error,
        [Restarted] = EventSeverity.Warning,
        [MachineStarted] = EventSeverity.Info,
        [MachineEnded] = EventSeverity.Error,
        [MachineHung] = EventSeverity.Error,
        [MachinePanicked] = EventSeverity.Error,
        [GvproxyEnded] = EventSeverity.Error,
        [GvproxyRestarted] = EventSeverity.Warning,
        [ForwardAdded] = EventSeverity.Info,
        [ForwardRemoved] = EventSeverity.Info,
        [ForwardLost] = EventSeverity.Warning,
        [ForwardRemade] = EventSeverity.Info,
        [MountLost] = EventSeverity.Error,
        [ServiceExited] = EventSeverity.Warning,
        [ServiceRestarted] = EventSeverity.Info,
        [AgentLost] = EventSeverity.Error,
        [ClockJumped] = EventSeverity.Warning,
        [NetworkChanged] = EventSeverity.Info,
        [DiskNearlyFull] = EventSeverity.Warning,
        [DiskRoomAgain] = EventSeverity.Info,
        [DiskRepaired] = EventSeverity.Warning,
        [ShutdownStep] = EventSeverity.Info,
        [CertificatesRenewed] = EventSeverity.Info,
        [Resumed] = EventSeverity.Info,
        [ResumeFailed] = EventSeverity.Warning,
        [Suspended] = EventSeverity.Info,
        [SuspendFailed] = EventSeverity.Error,
        [Woken] = EventSeverity.Info,
        [Paused] = EventSeverity.Info,
        [Unpaused] = EventSeverity.Info,
    };
}

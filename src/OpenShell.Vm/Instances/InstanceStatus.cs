using OpenShell.Vm.Faults;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>What an instance is doing.</summary>
public enum InstancePhase
{
    /// <summary>Nothing of it runs.</summary>
    Stopped,

    /// <summary>Its supervisor runs; it is not ready yet.</summary>
    Starting,

    /// <summary>The gateway answered a health check.</summary>
    Ready,

    /// <summary>It is shutting down.</summary>
    Stopping,

    /// <summary>Its last start failed; see <see cref="InstanceStatus.Fault"/>.</summary>
    Failed,

    /// <summary>Nothing of it runs; its memory was saved, and the next start goes on from it.</summary>
    Suspended,

    /// <summary>Its machine is held in memory.</summary>
    Paused,

    /// <summary>Its files cannot be read; see <see cref="InstanceStatus.Fault"/>.</summary>
    Broken,
}

/// <summary>The truth about an instance at one moment: what <c>gateway status --output json</c> prints. Written by the supervisor, whole or not at all, as <c>status.json</c>.</summary>
public sealed record InstanceStatus
{
    /// <summary>The instance's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is doing.</summary>
    public required InstancePhase Phase { get; init; }

    /// <summary>Such as <c>https://127.0.0.1:30051</c>.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Such as <c>https://127.0.0.1:6443</c>.</summary>
    public string? ApiServer { get; init; }

    /// <summary>Path of the kubeconfig on the host.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Hypervisor, accelerator, distribution as used.</summary>
    public string? Hypervisor { get; init; }

    /// <inheritdoc cref="Hypervisor"/>
    public string? Accelerator { get; init; }

    /// <inheritdoc cref="Hypervisor"/>
    public string? Distribution { get; init; }

    /// <summary>What the cluster is, for a person: <c>Kubernetes 1.20.2</c>, <c>k3s v1.34.2+k3s1</c>.</summary>
    public string? DistributionVersion { get; init; }

    /// <summary>The digest of the bundle that it was started from; <see langword="null"/>: from none.</summary>
    public string? Bundle { get; init; }

    /// <summary>The instance that it is a clone of; <see langword="null"/>: of none.</summary>
    public string? CloneOf { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public int? Vcpus { get; init; }

    /// <summary>Memory in MiB.</summary>
    public int? MemoryMib { get; init; }

    /// <summary>Processes by role (<c>supervisor</c>, <c>vmm</c>, <c>gvproxy</c>).</summary>
    public IReadOnlyDictionary<string, ProcessIdentity> Processes { get; init => field = value is not null && value.Values.All(process => process is not null) ? value : new Dictionary<string, ProcessIdentity>(); } = new Dictionary<string, ProcessIdentity>();

    /// <summary>Forwards in force.</summary>
    public IReadOnlyList<PortForward> Ports { get; init => field = value ?? []; } = [];

    /// <summary>Folders of the host that its guest sees.</summary>
    public IReadOnlyList<HostMount> Mounts { get; init => field = value ?? []; } = [];

    /// <summary>Disks that can fill up, as they were last seen.</summary>
    public IReadOnlyList<DiskSpace> Disks { get; init => field = value ?? []; } = [];

    /// <summary>How often its policy has started it again since its supervisor's start.</summary>
    public int Restarts { get; init; }

    /// <summary>When this start began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the gateway first answered.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>Stages of this start with their times.</summary>
    public IReadOnlyList<StageTime> Stages { get; init => field = value ?? []; } = [];

    /// <summary>Why it failed or is broken.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>A disk that can fill up.</summary>
/// <param name="Where"><see cref="Guest"/> or <see cref="Host"/>.</param>
/// <param name="Path">Where it is mounted in the guest, or what of the instance lies on it on the host.</param>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">What is left.</param>
/// <param name="NearlyFull">Whether that is little.</param>
public sealed record DiskSpace(string Where, string Path, long TotalBytes, long FreeBytes, bool NearlyFull = false)
{
    /// <summary>The guest's state disk.</summary>
    public const string Guest = "guest";

    /// <summary>The file system of the host on which the instance's folder lies.</summary>
    public const string Host = "host";
}

/// <summary>A process told apart from every other that ever had its number.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c> (clock ticks since boot; https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html); on macOS microseconds since the epoch.</param>
/// <param name="Boot">The boot of the host that its start time counts from (<c>/proc/sys/kernel/random/boot_id</c>); <see langword="null"/>: on macOS, and where an older version wrote it.</param>
public sealed record ProcessIdentity(int Pid, long StartTime, string? Boot = null);

/// <summary>One row of the table of stages.</summary>
/// <param name="Stage">Its name, see <see cref="BootStages"/>.</param>
/// <param name="Start">When it began, since the start of the instance.</param>
/// <param name="Duration">How long it took; <see langword="null"/> while it runs.</param>
/// <param name="State">completed, skipped, failed, started.</param>
/// <param name="Detail">One line for a person.</param>
public sealed record StageTime(string Stage, TimeSpan Start, TimeSpan? Duration, Protocol.Messages.StageState State, string? Detail);

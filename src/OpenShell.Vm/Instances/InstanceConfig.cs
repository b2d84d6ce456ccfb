using System.Text.Json.Serialization;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Images;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>What the user asked for. Validated by <c>InstanceValidator</c> before anything is changed; stored as <c>config.json</c>.</summary>
/// <remarks>The generated JSON reader sets properties that a file does not have to <see langword="null"/>, initializer or not: hence the <c>??</c>.</remarks>
public sealed record InstanceConfig
{
    /// <summary>The version of what is kept of the instance (<see cref="InstanceFormat"/>); 1 where a file does not say.</summary>
    public int Format { get; init => field = value == 0 ? 1 : value; } = InstanceFormat.Current;

    /// <summary>The instance's name: a DNS label of at most 40 characters.</summary>
    public required string Name { get; init; }

    /// <summary>A cluster, or one program.</summary>
    public GuestMode Mode { get; init; } = GuestMode.Cluster;

    /// <summary>The guest's processor, one of <see cref="Images.Architectures"/>; <see langword="null"/>: the host's. Another's is emulated.</summary>
    public string? Architecture { get; init; }

    /// <summary>Whether the guest's processor is not the host's.</summary>
    internal bool IsForeign => Architecture is not null && Architecture != Architectures.Host;

    /// <summary>Virtual CPUs; <see langword="null"/>: min(4, host cores) for a cluster, 2 for a program.</summary>
    public int? Vcpus { get; init; }

    /// <summary>Memory in MiB; <see langword="null"/>: 4096 for a cluster, 1024 for a program.</summary>
    public int? MemoryMib { get; init; }

    /// <summary>Size of the state disk in GiB, as the guest sees it; <see langword="null"/>: 20. It grows at the next start, and never shrinks.</summary>
    public int? DiskGib { get; init; }

    /// <summary><c>qemu</c>, <c>libkrun</c>, or <see langword="null"/> for the best that is there.</summary>
    public string? Hypervisor { get; init; }

    /// <summary><c>upstream</c>, <c>k3s</c>, or <c>auto</c> or <see langword="null"/> for the best that is there.</summary>
    public string? Distribution { get; init; }

    /// <summary>The k3s program to use: an absolute path; <see langword="null"/>: the release that this project was written for.</summary>
    public string? K3sBinary { get; init; }

    /// <summary>The container image that the guest's system is taken from, as in <see cref="ImageRequest.BaseImage"/>; <see langword="null"/>: Debian's packages.</summary>
    public string? BaseImage { get; init; }

    /// <summary><c>debian</c>, <c>custom</c>, or the absolute path of a kernel that has everything built in; <see langword="null"/>: <c>debian</c>.</summary>
    public string? Kernel { get; init; }

    /// <summary>Exactly these images, as a bundle brought them, in place of those that <see cref="Distribution"/> and <see cref="Kernel"/> choose.</summary>
    public PinnedImages? Pinned { get; init; }

    /// <summary>One of <see cref="Networking.NetworkNames"/>.</summary>
    public string Network { get; init => field = value ?? Networking.NetworkNames.Gvproxy; } = Networking.NetworkNames.Gvproxy;

    /// <summary>A folder of the host as the guest's root, in place of the root image: an absolute path; libkrun only.</summary>
    public string? RootDirectory { get; init; }

    /// <summary>The folder that holds libkrun (and libkrunfw): an absolute path; <see langword="null"/>: the usual places.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>How much libkrun says in its log, 0 to 5.</summary>
    public int? KrunLogLevel { get; init; }

    /// <summary>Forwards the user asked for, besides the gateway's and the API server's.</summary>
    public IReadOnlyList<PortForward> Ports { get; init => field = value ?? []; } = [];

    /// <summary>Forwards that were added to the running instance (<c>gateway port add</c>): kept from start to start, until they are removed.</summary>
    public IReadOnlyList<PortForward> AddedPorts { get; init => field = value ?? []; } = [];

    /// <summary>Folders of the host that the guest sees.</summary>
    public IReadOnlyList<HostMount> Mounts { get; init => field = value ?? []; } = [];

    /// <summary>Host port of the gateway; <see langword="null"/>: 30051 for <c>default</c>, a free one for others.</summary>
    public int? GatewayPort { get; init; }

    /// <summary>Let the guest reach the host's loopback (192.168.127.254). Off: a hole otherwise.</summary>
    public bool AllowHostLoopback { get; init; }

    /// <summary>Manifests, container images and charts that a cluster is given along.</summary>
    public WorkloadConfig? Workload { get; init; }

    /// <summary>Certificate authorities that the guest is to trust besides its own: absolute paths of PEM files, or <see cref="CertificateBundle.Host"/> for those of this machine.</summary>
    public IReadOnlyList<string> CertificateAuthorities { get; init => field = value ?? []; } = [];

    /// <summary>Registries that stand in for others.</summary>
    public IReadOnlyList<RegistryMirror> RegistryMirrors { get; init => field = value ?? []; } = [];

    /// <summary>The host's proxies; <see langword="null"/>: it has none, or the guest is to do without.</summary>
    public ProxyConfig? Proxy { get; init; }

    /// <summary>The program, in <see cref="GuestMode.Exec"/>.</summary>
    public ExecRequest? Exec { get; init; }

    /// <summary>One of <see cref="RestartPolicies"/>; <see langword="null"/>: <see cref="RestartPolicies.No"/>.</summary>
    public string? Restart { get; init; }

    /// <summary>One of <see cref="Snapshots.StartKinds"/>; <see langword="null"/>: <see cref="Snapshots.StartKinds.Auto"/>. Of one start: it is not kept.</summary>
    public string? Start { get; init; }

    /// <summary>How long nobody may have used the instance before it is suspended; <see langword="null"/>: it runs on.</summary>
    public TimeSpan? IdleSuspend { get; init; }

    /// <summary>What a start names, whatever its value: it takes back what was stored. Of one start: it is not kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public NamedSettings Named { get; init; }

    /// <summary>Whether a start repeats the last: all is as it is stored when the start has the instance, what opens something or is given along too. Of one start: it is not kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Repeats { get; init; }

    /// <summary>How long a start may take in all before it is given up.</summary>
    public TimeSpan? Timeout { get; init; }
}

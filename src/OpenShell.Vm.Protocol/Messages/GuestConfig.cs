using System.Text.Json.Serialization;

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>
/// What the host tells the guest right after the handshake: everything that distinguishes one boot from another.
/// The guest never learns configuration any other way (no kernel arguments, no config disk), so that the same
/// kernel, initramfs and root image serve every instance and every hypervisor.
/// </summary>
public sealed record GuestConfig
{
    /// <summary>What the guest is for: run one program, or a cluster.</summary>
    public required GuestMode Mode { get; init; }

    /// <summary>The host name of the guest and the name of its Kubernetes node: a DNS label.</summary>
    public required string Hostname { get; init; }

    /// <summary>The host's wall clock when this message was written, in nanoseconds since the Unix epoch; the guest sets its own by it.</summary>
    public required long HostTimeUnixNanoseconds { get; init; }

    /// <summary>At least 32 bytes from the host's random source; credited to the kernel's entropy pool.</summary>
    public required byte[] Entropy { get; init; }

    /// <summary>How the guest reaches the network; <see langword="null"/>: only loopback.</summary>
    public GuestNetwork? Network { get; init; }

    /// <summary>Whether there is a disk with what the user gives along (<see cref="DeliveryIndex"/>).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Delivery { get; init; }

    /// <summary>The way to the world where it is by proxies.</summary>
    public GuestProxy? Proxy { get; init; }

    /// <summary>Folders of the host to mount.</summary>
    public IReadOnlyList<GuestMount>? Mounts { get; init; }

    /// <summary>The program to run in <see cref="GuestMode.Exec"/>.</summary>
    public ExecRequest? Exec { get; init; }

    /// <summary>The cluster to run in <see cref="GuestMode.Cluster"/>.</summary>
    public ClusterConfig? Cluster { get; init; }
}

/// <summary>A folder of the host that the guest mounts.</summary>
/// <param name="Tag">The name of its device.</param>
/// <param name="Path">Where: an absolute path; its folders are made where missing.</param>
/// <param name="Type"><see cref="Plan9"/> or <see cref="VirtioFs"/>.</param>
/// <param name="ReadOnly">Whether nothing is to be written; the host sees to it as well.</param>
public sealed record GuestMount(string Tag, string Path, string Type, bool ReadOnly)
{
    /// <summary>9p over virtio.</summary>
    public const string Plan9 = "9p";

    /// <summary>virtio-fs.</summary>
    public const string VirtioFs = "virtiofs";
}

/// <summary>What a guest is for.</summary>
public enum GuestMode
{
    /// <summary>Run one program to its end, report its exit code, power off. No state disk, no Kubernetes.</summary>
    Exec,

    /// <summary>Run a single-node cluster until told to stop.</summary>
    Cluster,
}

/// <summary>The guest's one network interface.</summary>
public sealed record GuestNetwork
{
    /// <summary>Ask DHCP first; the static values below are used when it does not answer in time.</summary>
    [JsonRequired]
    public bool Dhcp { get; init; } = true;

    /// <summary>IPv4 address with prefix length, such as <c>192.168.127.2/24</c>.</summary>
    public required string Address { get; init; }

    /// <summary>IPv4 default gateway, such as <c>192.168.127.1</c>.</summary>
    public required string Gateway { get; init; }

    /// <summary>Name servers, tried in order; used when DHCP names none.</summary>
    public required IReadOnlyList<string> DnsServers { get; init; }

    /// <summary>
    /// IPv4 addresses and ports that nothing in the guest may reach (the hypervisor side's view of the host's
    /// loopback, the control API of the user-space network): <c>192.168.127.254</c> or <c>192.168.127.1:80</c>.
    /// </summary>
    public IReadOnlyList<string> Closed { get; init => field = value ?? []; } = [];

    /// <summary>IPv4 addresses with a TCP port that may be reached although <see cref="Closed"/> says otherwise: the proxies that listen on the host's loopback.</summary>
    public IReadOnlyList<string> Open { get; init => field = value ?? []; } = [];
}

/// <summary>The cluster that the guest runs.</summary>
public sealed record ClusterConfig
{
    /// <summary><c>upstream</c> or <c>k3s</c>.</summary>
    public required string Distribution { get; init; }

    /// <summary>The gateway's name, as it stands in the certificates' subjects and in the client's metadata.</summary>
    public required string GatewayName { get; init; }

    /// <summary>Further subject alternative names (DNS names or IP addresses) of the API server's and the gateway's certificates.</summary>
    public IReadOnlyList<string> SubjectAlternativeNames { get; init => field = value ?? []; } = [];

    /// <summary>The NodePort of the gateway service.</summary>
    [JsonRequired]
    public int GatewayNodePort { get; init; } = 30051;

    /// <summary>Whose the state disk is now: where it says another, or nothing, the machine is a clone, and makes what must be its own anew. <see langword="null"/>: it is no clone.</summary>
    public string? Identity { get; init; }

    /// <summary>
    /// Whether callers from outside of the machine reach the API server by a front with an authority of its own, so that the cluster's may be shared with other machines. A clone
    /// (<see cref="Identity"/>) has one in any case.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ApiFront { get; init; }
}

using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Snapshots;

/// <summary>What a golden image is of: everything that an instance is asked to be, and that is in its memory once it runs. Instances of one key begin as copies of one machine.</summary>
public sealed record GoldenKey
{
    /// <summary>The layout of golden images: raised when what is in the guest's memory is no longer understood.</summary>
    internal const int CurrentFormat = 2;

    /// <inheritdoc cref="CurrentFormat"/>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The machine.</summary>
    public required MachineIdentity Machine { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Memory in MiB.</summary>
    public required int MemoryMib { get; init; }

    /// <summary>Size of the disk in GiB.</summary>
    public required int DiskGib { get; init; }

    /// <summary><c>upstream</c> or <c>k3s</c>.</summary>
    public required string Distribution { get; init; }

    /// <summary>The digest of manifests, images, charts, authorities and mirrors that were given along; <see langword="null"/>: none were.</summary>
    public string? Delivery { get; init; }

    /// <summary>Whether pods may reach the host's loopback.</summary>
    public bool AllowHostLoopback { get; init; }

    /// <summary>The digest of the proxies that its services were started with; <see langword="null"/>: none.</summary>
    public string? Proxy { get; init; }

    /// <summary>Of a start.</summary>
    internal static GoldenKey Of(InstanceConfig config, MachineIdentity machine, string? delivery) => new()
    {
        Machine = machine,
        Vcpus = config.Vcpus!.Value,
        MemoryMib = config.MemoryMib!.Value,
        DiskGib = config.DiskGib ?? Supervision.StateDisk.SizeGib,
        Distribution = config.Distribution!,
        Delivery = delivery,
        AllowHostLoopback = config.AllowHostLoopback,
        Proxy = ProxyDigest(config),
    };

    /// <summary>Of the proxies that a cluster's services are started with; <see langword="null"/>: none.</summary>
    internal static string? ProxyDigest(InstanceConfig config) => config.Proxy is null ? null : Digest(JsonSerializer.SerializeToUtf8Bytes(config.Proxy, SnapshotJson.Default.ProxyConfig));

    /// <summary>The name of such an image: 24 hexadecimal digits.</summary>
    public string Hash() => Digest(JsonSerializer.SerializeToUtf8Bytes(this, SnapshotJson.Default.GoldenKey));

    /// <summary>How what is asked for differs from this, for a person; empty where it does not.</summary>
    public IReadOnlyList<string> Differences(GoldenKey asked)
    {
        ArgumentNullException.ThrowIfNull(asked);
        var differences = new List<string>();
        Compare("format", Format, asked.Format);
        Compare("vcpus", Vcpus, asked.Vcpus);
        Compare("memory", $"{MemoryMib} MiB", $"{asked.MemoryMib} MiB");
        Compare("disk", $"{DiskGib} GiB", $"{asked.DiskGib} GiB");
        Compare("distribution", Distribution, asked.Distribution);
        Compare("what is given along", Delivery ?? "nothing", asked.Delivery ?? "nothing");
        Compare("host loopback", AllowHostLoopback ? "allowed" : "closed", asked.AllowHostLoopback ? "allowed" : "closed");
        Compare("proxy", Proxy ?? "none", asked.Proxy ?? "none");

        // Processors and memory are arguments of the machine too, and have been told.
        return differences.Count > 0 ? differences : Machine.Differences(asked.Machine);

        void Compare<T>(string what, T before, T now)
        {
            if (!EqualityComparer<T>.Default.Equals(before, now))
                differences.Add($"{what}: {before} -> {now}");
        }
    }

    /// <summary>Why there can be no golden image of such an instance; <see langword="null"/>: there can.</summary>
    internal static string? WhyNot(InstanceConfig config, HostFacts host) => config switch
    {
        _ when SnapshotSupport.WhyNot(config, host) is { } why => why,
        { Pinned: not null } => "a start from a bundle uses what is in the bundle",
        { Network: not Networking.NetworkNames.Gvproxy } => "it has no network through which its gateway could answer",
        _ => null,
    };

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12));
}

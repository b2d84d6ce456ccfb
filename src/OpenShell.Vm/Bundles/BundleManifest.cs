using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenShell.Vm.Bundles;

/// <summary><c>bundle.json</c>: what a bundle holds, and what it starts. The first entry of the bundle; names are only added within a format version.</summary>
public sealed record BundleManifest
{
    /// <summary>The format that this program writes, and the newest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The bundle's format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>What made it: <c>gateway 0.1.0</c>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>Debian's name of the processor that it is for: <c>amd64</c>, <c>arm64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>What it starts.</summary>
    public required BundleStart Start { get; init; }

    /// <summary>What the host must have by itself.</summary>
    public required IReadOnlyList<BundleRequirement> Requirements { get; init; }

    /// <summary>Every further entry but <c>bundle.sha256</c>, in its order.</summary>
    public required IReadOnlyList<BundlePart> Parts { get; init; }
}

/// <summary>What a bundle starts: artifacts as <c>KIND/KEY/FILE</c>.</summary>
public sealed record BundleStart
{
    /// <summary>The content address of the set of images (<see cref="Images.ImageSet.Key"/>).</summary>
    public required string ImageSet { get; init; }

    /// <summary>The distribution of Kubernetes.</summary>
    public required string Distribution { get; init; }

    /// <summary>Which version of it, for a person.</summary>
    public string? DistributionVersion { get; init; }

    /// <summary>The guest's kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>The initramfs; <see langword="null"/>: the kernel needs none.</summary>
    public string? Initramfs { get; init; }

    /// <summary>The root image.</summary>
    public required string Root { get; init; }

    /// <summary>gvproxy.</summary>
    public required string Gvproxy { get; init; }

    /// <summary>Manifests, in the order in which they are applied.</summary>
    public IReadOnlyList<string> Manifests { get; init => field = value ?? []; } = [];

    /// <summary>Archives of container images.</summary>
    public IReadOnlyList<string> Images { get; init => field = value ?? []; } = [];

    /// <summary>Charts.</summary>
    public IReadOnlyList<string> Charts { get; init => field = value ?? []; } = [];

    /// <summary>Everything named.</summary>
    internal IEnumerable<string?> All => [Kernel, .. Initramfs is null ? (string[])[] : [Initramfs], Root, Gvproxy, .. Manifests, .. Images, .. Charts];
}

/// <summary>A package that a bundle does not carry: it is the host's own.</summary>
/// <param name="Package">Debian's name of it.</param>
/// <param name="MinimumVersion">The lowest version that will do; <see langword="null"/>: any.</param>
/// <param name="Suite">The suite that has it; <see langword="null"/>: the host's own.</param>
/// <param name="Why">What for.</param>
public sealed record BundleRequirement(string Package, string? MinimumVersion, string? Suite, string Why);

/// <summary>One entry of a bundle.</summary>
public sealed record BundlePart
{
    /// <summary>Its name for a person: <c>root: root.squashfs</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its path in the bundle.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>What it is and of what it was made: a version, and the entry with its provenance.</summary>
    public string? From { get; init; }

    /// <summary>The artifact of the image cache that it belongs to, as <c>KIND/KEY</c>; <see langword="null"/>: none.</summary>
    public string? Artifact { get; init; }

    /// <summary>Its path in that artifact.</summary>
    public string? File { get; init; }

    /// <summary>Whether it is a program.</summary>
    public bool Executable { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BundleManifest))]
internal sealed partial class BundleJson : JsonSerializerContext
{
    public static byte[] Bytes(BundleManifest manifest) => [.. JsonSerializer.SerializeToUtf8Bytes(manifest, Default.BundleManifest), (byte)'\n'];
}

using System.Text.Json.Serialization;
using OpenShell.Vm.Deliveries;

namespace OpenShell.Vm.Snapshots;

/// <summary>What is written down of a golden image, as <c>golden.json</c> in its folder.</summary>
internal sealed record GoldenRecord
{
    /// <summary>What it is of.</summary>
    public required GoldenKey Key { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The name of the cluster's node, which every instance of it shares.</summary>
    public required string NodeName { get; init; }

    /// <summary>Its files.</summary>
    public required IReadOnlyList<SavedFile> Files { get; init; }

    /// <summary>SHA-256 of the record itself without this.</summary>
    public string? Seal { get; init; }
}

/// <summary>Source-generated JSON of everything that is written down of saved machines.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GoldenKey))]
[JsonSerializable(typeof(GoldenRecord))]
[JsonSerializable(typeof(SnapshotRecord))]
[JsonSerializable(typeof(ProxyConfig))]
internal sealed partial class SnapshotJson : JsonSerializerContext;

using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>What of a PersistentVolumeClaim matters to who makes its volume.</summary>
internal sealed record Claim
{
    /// <summary>Its name.</summary>
    public required ObjectReference Reference { get; init; }

    /// <summary>Its class.</summary>
    public string? ClassName { get; init; }

    /// <summary>Who is to make its volume: the controller manager writes it once no volume that exists will do.</summary>
    public string? Provisioner { get; init; }

    /// <summary>The node of the first pod that wants it: the scheduler writes it where the class waits for that.</summary>
    public string? SelectedNode { get; init; }

    /// <summary>Its volume, once it is bound.</summary>
    public string? VolumeName { get; init; }

    /// <summary>It is on its way out.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>How it is to be mounted.</summary>
    public IReadOnlyList<string> AccessModes { get; init; } = [];

    /// <summary>How much it asks for, as it is written.</summary>
    public string Requested { get; init; } = "0";

    /// <summary><c>Filesystem</c> or <c>Block</c>.</summary>
    public string VolumeMode { get; init; } = "Filesystem";

    /// <summary>It asks for a volume with certain labels.</summary>
    public bool HasSelector { get; init; }

    /// <summary>It asks for the content of another volume or snapshot.</summary>
    public bool HasSource { get; init; }

    /// <summary>Reads a v1 PersistentVolumeClaim.</summary>
    public static Claim Read(JsonElement item) => new()
    {
        Reference = new ObjectReference(
            "v1", "PersistentVolumeClaim", item.Text("metadata", "namespace")!, item.Text("metadata", "name")!, item.Text("metadata", "uid")!),
        ClassName = item.Text("spec", "storageClassName"),
        Provisioner = item.Text("metadata", "annotations", VolumeLayout.ProvisionerOfClaim),
        SelectedNode = item.Text("metadata", "annotations", VolumeLayout.SelectedNode),
        VolumeName = item.Text("spec", "volumeName"),
        IsDeleted = item.Text("metadata", "deletionTimestamp") is not null,
        AccessModes = item.Texts("spec", "accessModes"),
        Requested = item.Text("spec", "resources", "requests", "storage") ?? "0",
        VolumeMode = item.Text("spec", "volumeMode") ?? "Filesystem",
        HasSelector = item.At("spec", "selector") is not null,
        HasSource = item.At("spec", "dataSource") is not null,
    };
}

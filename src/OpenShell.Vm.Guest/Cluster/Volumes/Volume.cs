using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>What of a PersistentVolume matters to who made it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its identity.</param>
/// <param name="Phase"><c>Available</c>, <c>Bound</c>, <c>Released</c> or <c>Failed</c>.</param>
/// <param name="ProvisionedBy">Who made it.</param>
/// <param name="ReclaimPolicy"><c>Delete</c> or <c>Retain</c>.</param>
/// <param name="Path">Its folder, if it is a local one.</param>
/// <param name="IsDeleted">It is on its way out.</param>
/// <param name="Finalizers">Who has something to do before it goes.</param>
internal sealed record Volume(
    string Name, string Uid, string? Phase, string? ProvisionedBy, string? ReclaimPolicy, string? Path, bool IsDeleted, IReadOnlyList<string> Finalizers)
{
    /// <summary>Whether it was made at a place and its folder is the one that is its own: of others nothing is ever touched.</summary>
    public bool IsOf(VolumePlace place) => ProvisionedBy == place.Provisioner && VolumeLayout.IsName(Name) && Path == place.PathOf(Name);

    /// <summary>Reads a v1 PersistentVolume.</summary>
    public static Volume Read(JsonElement item) => new(
        item.Text("metadata", "name")!,
        item.Text("metadata", "uid")!,
        item.Text("status", "phase"),
        item.Text("metadata", "annotations", VolumeLayout.ProvisionedBy),
        item.Text("spec", "persistentVolumeReclaimPolicy"),
        item.Text("spec", "local", "path"),
        item.Text("metadata", "deletionTimestamp") is not null,
        item.Texts("metadata", "finalizers"));
}

/// <summary>What of a StorageClass matters.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Provisioner">Who makes its volumes.</param>
/// <param name="ReclaimPolicy">What becomes of them.</param>
/// <param name="WaitsForPod">Only once a pod wants one.</param>
internal sealed record VolumeClass(string Name, string Provisioner, string ReclaimPolicy, bool WaitsForPod)
{
    /// <summary>Reads a storage.k8s.io/v1 StorageClass.</summary>
    public static VolumeClass Read(JsonElement item) => new(
        item.Text("metadata", "name")!,
        item.Text("provisioner") ?? "",
        item.Text("reclaimPolicy") ?? "Delete",
        item.Text("volumeBindingMode") == "WaitForFirstConsumer");
}

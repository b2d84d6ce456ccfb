using System.Text.Json.Nodes;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>What is sent to the API server about volumes.</summary>
internal static class VolumeObjects
{
    /// <summary>The default class, as k3s has it.</summary>
    public static JsonObject DefaultClass(VolumePlace place) => new()
    {
        ["apiVersion"] = "storage.k8s.io/v1",
        ["kind"] = "StorageClass",
        ["metadata"] = new JsonObject
        {
            ["name"] = VolumeLayout.ClassName,
            ["annotations"] = new JsonObject { ["storageclass.kubernetes.io/is-default-class"] = "true" },
        },
        ["provisioner"] = place.Provisioner,
        ["volumeBindingMode"] = "WaitForFirstConsumer",
        ["reclaimPolicy"] = "Delete",
    };

    /// <summary>
    /// The volume of a claim: a local one, so that the kubelet gives it to the pod's group where the pod has one (fsGroup), which it does not do for a hostPath.
    /// https://kubernetes.io/docs/concepts/storage/volumes/#local
    /// </summary>
    public static JsonObject VolumeOf(VolumePlace place, Claim claim, VolumeClass type, string node)
    {
        var name = VolumeLayout.NameFor(claim.Reference.Uid!);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolume",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["annotations"] = new JsonObject { [VolumeLayout.ProvisionedBy] = place.Provisioner },
                ["finalizers"] = new JsonArray(VolumeLayout.Finalizer),
            },
            ["spec"] = new JsonObject
            {
                ["capacity"] = new JsonObject { ["storage"] = claim.Requested },
                ["accessModes"] = new JsonArray([.. claim.AccessModes.Select(mode => (JsonNode)mode)]),
                ["persistentVolumeReclaimPolicy"] = type.ReclaimPolicy,
                ["storageClassName"] = type.Name,
                ["volumeMode"] = "Filesystem",
                // With the claim's identity: it is this claim's volume, not that of a later one of the same name.
                ["claimRef"] = claim.Reference.ToJson(),
                ["local"] = new JsonObject { ["path"] = place.PathOf(name) },
                ["nodeAffinity"] = new JsonObject
                {
                    ["required"] = new JsonObject
                    {
                        ["nodeSelectorTerms"] = new JsonArray(new JsonObject
                        {
                            ["matchExpressions"] = new JsonArray(new JsonObject
                            {
                                ["key"] = VolumeLayout.HostnameLabel,
                                ["operator"] = "In",
                                ["values"] = new JsonArray(node),
                            }),
                        }),
                    },
                },
            },
        };
    }

    /// <summary>Takes our finalizer off a volume, and leaves those of others.</summary>
    public static JsonObject WithoutFinalizer(Volume volume) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["uid"] = volume.Uid,
            ["finalizers"] = new JsonArray([.. volume.Finalizers.Where(f => f != VolumeLayout.Finalizer).Select(f => (JsonNode)f)]),
        },
    };

    /// <summary>Takes the node off a claim, which makes the scheduler choose again.</summary>
    public static JsonObject WithoutNode() => new()
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [VolumeLayout.SelectedNode] = null } },
    };
}

using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>Names of the storage class and of what belongs to it, each once.</summary>
internal static class VolumeLayout
{
    /// <summary>The default class; k3s' name for the same thing.</summary>
    public const string ClassName = "local-path";

    /// <summary>By which classes say that their volumes are made here, and volumes that they were.</summary>
    public const string Provisioner = "openshell-vm/local-path";

    /// <summary>Keeps a volume known until its folder is gone.</summary>
    public const string Finalizer = "openshell-vm/volume-folder";

    /// <summary>The volumes' folders.</summary>
    public const string Folder = StateLayout.Volumes;

    /// <summary>Kubernetes' own words. https://v1-20.docs.kubernetes.io/docs/reference/labels-annotations-taints/</summary>
    public const string ProvisionerOfClaim = "volume.beta.kubernetes.io/storage-provisioner", SelectedNode = "volume.kubernetes.io/selected-node",
        ProvisionedBy = "pv.kubernetes.io/provisioned-by", ProtectionFinalizer = "kubernetes.io/pv-protection", HostnameLabel = "kubernetes.io/hostname";

    /// <summary>The name of a claim's volume, and of its folder. A claim's uid is the API server's: no name that a user chose becomes a path.</summary>
    public static string NameFor(string claimUid) => "pvc-" + claimUid;

    /// <summary>Whether a volume's name is one that <see cref="NameFor"/> gives: then it is a folder's name and nothing else.</summary>
    public static bool IsName(string name) => name.StartsWith("pvc-", StringComparison.Ordinal) && Guid.TryParseExact(name.AsSpan(4), "D", out _);
}

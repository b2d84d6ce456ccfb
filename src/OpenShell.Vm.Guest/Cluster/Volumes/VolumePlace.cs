namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>Whose volumes are made here, and where their folders are.</summary>
/// <param name="Provisioner">By which classes say that their volumes are made here, and volumes that they were.</param>
/// <param name="Folder">The volumes' folders.</param>
internal sealed record VolumePlace(string Provisioner, string Folder)
{
    /// <summary>Theirs in a guest whose volumes PID 1 makes.</summary>
    public static VolumePlace Guest { get; } = new(VolumeLayout.Provisioner, VolumeLayout.Folder);

    /// <summary>The path of a volume's folder.</summary>
    public string PathOf(string volume) => $"{Folder}/{volume}";
}

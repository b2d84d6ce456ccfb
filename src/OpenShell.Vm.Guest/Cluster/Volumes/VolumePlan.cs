namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>
/// Decides what is to be done, by what there is: nothing is remembered, so that after a crash between any two steps the next look goes on where the last one was interrupted.
/// A folder exists only while a volume names it: the volume is made before it, and kept by a finalizer until it is deleted. (The folders of volumes that are to be retained stay.)
/// </summary>
internal static class VolumePlan
{
    private const string OnlyMode = "ReadWriteOnce";

    /// <summary>The steps, in their order.</summary>
    /// <param name="place">Whose volumes they are.</param>
    /// <param name="node">The node that all volumes are on.</param>
    /// <param name="claims">All claims.</param>
    /// <param name="volumes">All volumes.</param>
    /// <param name="classes">All classes.</param>
    /// <param name="hasFolder">Whether a volume's folder is there.</param>
    public static IReadOnlyList<VolumeStep> Of(
        VolumePlace place, string node, IReadOnlyList<Claim> claims, IReadOnlyList<Volume> volumes, IReadOnlyList<VolumeClass> classes, Func<string, bool> hasFolder)
    {
        var steps = new List<VolumeStep>();
        var names = volumes.Select(v => v.Name).ToHashSet();
        foreach (var volume in volumes.Where(v => v.IsOf(place)))
            steps.AddRange(About(volume, hasFolder));
        foreach (var claim in claims)
        {
            var wanted = claim is { VolumeName: null, IsDeleted: false } && claim.Provisioner == place.Provisioner && !names.Contains(VolumeLayout.NameFor(claim.Reference.Uid!));
            if (wanted && classes.FirstOrDefault(c => c.Name == claim.ClassName && c.Provisioner == place.Provisioner) is { } found && About(claim, found, node) is { } step)
                steps.Add(step);
        }

        return steps;
    }

    private static IEnumerable<VolumeStep> About(Volume volume, Func<string, bool> hasFolder)
    {
        if (volume.IsDeleted)
        {
            // Kubernetes' own finalizer is on it as long as a claim is bound to it.
            if (!volume.Finalizers.Contains(VolumeLayout.Finalizer) || volume.Finalizers.Contains(VolumeLayout.ProtectionFinalizer) || volume.Phase == "Bound")
                yield break;
            if (volume.ReclaimPolicy == "Delete" && hasFolder(volume.Name))
                yield return new VolumeStep.DeleteFolder(volume.Name);
            yield return new VolumeStep.Forget(volume);
        }
        else if (volume is { Phase: "Released", ReclaimPolicy: "Delete" })
        {
            yield return new VolumeStep.Release(volume);
        }
        else if (volume.Phase != "Released" && !hasFolder(volume.Name))
        {
            yield return new VolumeStep.MakeFolder(volume.Name);
        }
    }

    private static VolumeStep? About(Claim claim, VolumeClass type, string node)
    {
        if (WhyNot(claim) is { } why)
            return new VolumeStep.Refuse(claim, why);
        if (type.WaitsForPod && claim.SelectedNode is null)
            return null;
        return claim.SelectedNode is not null && claim.SelectedNode != node ? new VolumeStep.ForgetNode(claim) : new VolumeStep.MakeVolume(claim, type);
    }

    private static string? WhyNot(Claim claim)
    {
        if (claim.AccessModes.FirstOrDefault(mode => mode != OnlyMode) is { } other)
        {
            return $"the access mode {other} is not possible: the volumes of this class are folders of one node, which {OnlyMode} describes"
                + " (any number of pods of that node may mount one at once). Ask for ReadWriteOnce alone.";
        }

        if (claim.VolumeMode != "Filesystem")
            return $"the volume mode {claim.VolumeMode} is not possible: the volumes of this class are folders. Leave volumeMode out.";
        if (claim.HasSelector)
            return "a selector is not possible: a volume is made for the claim, and has no labels to select by. Leave the selector out, or the class.";
        return claim.HasSource ? "a data source is not possible: these volumes have neither snapshots nor clones. Leave dataSource out, and copy the data." : null;
    }
}

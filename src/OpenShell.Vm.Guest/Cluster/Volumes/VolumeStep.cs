namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>One thing to do about volumes. Data: <see cref="VolumePlan"/> decides, <see cref="VolumeController"/> does.</summary>
internal abstract record VolumeStep
{
    private VolumeStep()
    {
    }

    /// <summary>Make a claim's volume in the API. Its folder comes after it, by <see cref="MakeFolder"/>: so there is never one that no volume names.</summary>
    public sealed record MakeVolume(Claim Claim, VolumeClass Class) : VolumeStep;

    /// <summary>Make the folder of a volume.</summary>
    public sealed record MakeFolder(string Name) : VolumeStep;

    /// <summary>Say why a claim gets no volume.</summary>
    public sealed record Refuse(Claim Claim, string Why) : VolumeStep;

    /// <summary>Have the scheduler choose a node anew: the one that it chose is not here.</summary>
    public sealed record ForgetNode(Claim Claim) : VolumeStep;

    /// <summary>Ask the API server to take a volume away, whose claim is gone. It stays, on its way out, until <see cref="Forget"/>.</summary>
    public sealed record Release(Volume Volume) : VolumeStep;

    /// <summary>Delete the folder of a volume that is on its way out.</summary>
    public sealed record DeleteFolder(string Name) : VolumeStep;

    /// <summary>Let a volume go.</summary>
    public sealed record Forget(Volume Volume) : VolumeStep;
}

using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.State;

/// <summary>What lives on the state disk, and where programs find it.</summary>
internal static class StateLayout
{
    /// <summary>Certificates and keys (mode 0700).</summary>
    public const string Pki = GuestPaths.State + "/pki";

    /// <summary>Hashes of what was imported and applied, one file each.</summary>
    public const string Markers = GuestPaths.State + "/markers";

    /// <summary>What e2fsck did to a damaged file system, appended to.</summary>
    public const string RepairLog = GuestPaths.State + "/e2fsck.log";

    /// <summary>Where it puts files whose names are gone.</summary>
    public const string LostAndFound = GuestPaths.State + "/lost+found";

    /// <summary>The user's own manifests, applied after those of the image.</summary>
    public const string Manifests = GuestPaths.State + "/manifests";

    /// <summary>Archives of images while they are imported.</summary>
    public const string Incoming = GuestPaths.State + "/incoming";

    /// <summary>What of them was applied: one file for each, so that what it made can be taken away with it.</summary>
    public const string AppliedManifests = GuestPaths.State + "/manifests.applied";

    /// <summary>Volumes that were made for claims, one folder each (mode 0700; theirs are open to the pods' users).</summary>
    public const string Volumes = GuestPaths.State + "/volumes";

    /// <summary>Folder on the disk for a path of the guest.</summary>
    public static IReadOnlyList<MountEntry> Binds { get; } =
    [
        // containerd content, snapshots and meta.db stay together: they name one another.
        Bind("/var/lib/containerd"),
        Bind("/var/lib/kubelet"),
        Bind("/var/lib/etcd"),
        Bind("/etc/kubernetes"),
        // Logs of services and of pods: too large for memory, and wanted after a crash.
        Bind("/var/log"),
        // Where volumes with a path of the host conventionally live.
        Bind("/mnt"),
        Bind("/srv"),
    ];

    /// <summary>A folder of the guest that lives on the state disk.</summary>
    public static MountEntry Bind(string path) => MountEntry.Bind(GuestPaths.State + "/root" + path, path);
}

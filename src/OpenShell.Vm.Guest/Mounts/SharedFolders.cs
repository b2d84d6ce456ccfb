using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Mounts;

/// <summary>Folders of the host, as mounts. Pure data.</summary>
internal static class SharedFolders
{
    /// <summary>
    /// 9P2000.L is Linux's dialect. msize is the most that a virtio queue of 128 pages carries (the kernel says so where more is asked for). cache=mmap: nothing is kept but what programs map, so that what the
    /// host changes is seen at once; without it no program could map a file to write to it. https://docs.kernel.org/filesystems/9p.html
    /// </summary>
    private const string Plan9Options = "trans=virtio,version=9p2000.L,msize=512000,cache=mmap,access=any";

    /// <summary>The mounts, in order.</summary>
    public static IReadOnlyList<MountEntry> Of(IReadOnlyList<GuestMount>? mounts) =>
    [
        .. (mounts ?? []).Select(mount => new MountEntry
        {
            Source = mount.Tag,
            Target = mount.Path,
            Type = mount.Type,

            // What the host has put there is not trusted with the guest's root, nor with its devices.
            Flags = Linux.MsNoSuid | Linux.MsNoDev | (mount.ReadOnly ? Linux.MsReadOnly : 0),
            Data = mount.Type == GuestMount.Plan9 ? Plan9Options : null,
        }),
    ];
}

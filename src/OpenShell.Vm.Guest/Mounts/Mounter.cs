using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Mounts;

/// <summary>Makes what a <see cref="MountPlan"/> says.</summary>
internal static class Mounter
{
    /// <summary>Mounts all of them, in order.</summary>
    /// <exception cref="GuestFaultException">One that is not optional cannot be mounted.</exception>
    public static void MountAll(IReadOnlyList<MountEntry> entries)
    {
        foreach (var entry in entries)
            Mount(entry);
    }

    /// <summary>Mounts one.</summary>
    /// <exception cref="GuestFaultException">It cannot be mounted, and is not optional.</exception>
    public static void Mount(MountEntry entry)
    {
        foreach (var folder in entry.Needs)
            MakeFolders(folder);
        MakeFolders(entry.Target);
        // EBUSY: something like it is mounted there already, as devtmpfs is by a kernel with CONFIG_DEVTMPFS_MOUNT.
        if (Linux.Mount(entry.Source, entry.Target, entry.Type, entry.Flags, entry.Data) == 0 || Errno.Last == Errno.Busy || entry.Optional)
            return;
        var missing = Errno.Last == Errno.NoDevice;
        throw new GuestFaultException(
            "guest.mount-failed",
            $"mounting {entry} failed: {(missing ? $"this kernel has no file system {entry.Type}" : Errno.LastText)}.",
            missing ? "Use a kernel with it built in, or list its module in the initramfs." : "Look at the guest's console log; rebuild the image if it is damaged.");
    }

    /// <summary>Moves a mount to another place.</summary>
    public static void Move(string from, string to)
    {
        if (Linux.Mount(from, to, null, Linux.MsMove, null) != 0)
        {
            throw new GuestFaultException(
                "guest.mount-failed", $"moving the mount {from} to {to} failed: {Errno.LastText}.", $"The root image must have an empty folder for {from}.");
        }
    }

    /// <summary>mkdir -p with mode 0755.</summary>
    public static void MakeFolders(string path)
    {
        if (Linux.MakeDirectory(path, 0x1ED) == 0 || Errno.Last is Errno.Exists || path.Length < 2)
            return;
        if (Errno.Last == Errno.NoEntry)
        {
            MakeFolders(Path.GetDirectoryName(path)!);
            _ = Linux.MakeDirectory(path, 0x1ED);
        }
    }
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Disks;

/// <summary>Copies of files that share their blocks until one of them is written to: on btrfs, XFS and APFS, in no time.</summary>
internal static class FileCopies
{
    private const nuint CloneRequest = 0x40049409; // FICLONE, https://man7.org/linux/man-pages/man2/ioctl_ficlone.2.html

    /// <summary>Makes one; false, with nothing left, where the file system cannot.</summary>
    internal static bool TryClone(string from, string to)
    {
        if (OperatingSystem.IsMacOS())
            return Libc.CloneFile(from, to, 0) == 0;
        var cloned = false;
        try
        {
            using var source = Qcow2Header.OpenShared(from);
            using var target = new FileStream(to, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly });
            cloned = Libc.Ioctl((int)target.SafeFileHandle.DangerousGetHandle(), CloneRequest, source.DangerousGetHandle()) == 0;
            if (cloned)
                target.Flush(flushToDisk: true);
        }
        finally
        {
            if (!cloned)
                File.Delete(to);
        }

        return cloned;
    }
}

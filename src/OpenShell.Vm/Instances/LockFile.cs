using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>Opens files that are there to be locked by flock(2). Not by <see cref="File.OpenHandle"/>: on Unix it locks every file that it opens, also for reading.</summary>
internal static class LockFile
{
    /// <summary>Opens it for reading and writing, not locked; no child has it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="create">Where there is none it is made, empty and its owner's alone.</param>
    /// <exception cref="IOException">It cannot be made or opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    internal static SafeFileHandle Open(string path, bool create = true)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CloseOnExec);
        if (descriptor < 0 && create && !File.Exists(path))
        {
            try
            {
                new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = AtomicFile.OwnerOnly }).Dispose();
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another made it at the same instant, and holds it already: .NET asks for a lock of its own. It is there: that was the point.
            }

            descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CloseOnExec);
        }

        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }
}

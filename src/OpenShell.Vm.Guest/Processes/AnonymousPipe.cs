using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>Both ends of a pipe, close-on-exec and still blocking: a child's end must be.</summary>
internal static unsafe class AnonymousPipe
{
    /// <exception cref="SpawnException">There is no descriptor left.</exception>
    public static (SafeFileHandle Read, SafeFileHandle Write) Create()
    {
        var fds = stackalloc int[2];
        return Libc.pipe2(fds, Libc.O_CLOEXEC) == 0
            ? (new SafeFileHandle(fds[0], ownsHandle: true), new SafeFileHandle(fds[1], ownsHandle: true))
            : throw SpawnException.Other("pipe", Marshal.GetLastPInvokeError());
    }
}

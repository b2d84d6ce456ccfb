using System.Runtime.InteropServices;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>Why KVM cannot be used: libkrun does not tell.</summary>
internal static class KvmDevice
{
    internal const string Path = "/dev/kvm";

    /// <summary>Opens it for a moment; 0, or the errno.</summary>
    internal static int Open()
    {
        var descriptor = Libc.Open(Path, Libc.ReadWrite | Libc.CloseOnExec);
        if (descriptor < 0)
            return Marshal.GetLastPInvokeError();
        _ = Libc.Close(descriptor);
        return 0;
    }
}

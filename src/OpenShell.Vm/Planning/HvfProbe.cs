using System.Runtime.InteropServices;

namespace OpenShell.Vm.Planning;

/// <summary>Whether macOS offers Hypervisor.framework (https://developer.apple.com/documentation/hypervisor). By its documentation; not run yet.</summary>
internal static unsafe partial class HvfProbe
{
    internal static AcceleratorFact Probe()
    {
        int supported = 0;
        nuint size = sizeof(int);
        var usable = SysctlByName("kern.hv_support", &supported, &size, null, 0) == 0 && supported == 1;
        return new AcceleratorFact
        {
            Accelerator = Accelerator.Hvf,
            Usable = usable,
            Reason = usable ? "kern.hv_support is 1" : "this Mac has no Hypervisor.framework (kern.hv_support is not 1)",
        };
    }

    [LibraryImport("libc", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SysctlByName(string name, void* old, nuint* oldSize, void* @new, nuint newSize);
}

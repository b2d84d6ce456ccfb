using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Power;

/// <summary>How the machine is switched off: where the hypervisor knows no power-off, a reset is its end.</summary>
internal static class MachineEnd
{
    /// <summary>The command for reboot(2).</summary>
    public static int Off => CommandFor(KernelArguments.Current());

    internal static int CommandFor(IReadOnlyList<string> kernelArguments) =>
        kernelArguments.Contains(GuestKernelArguments.ResetIsTheEnd) ? Linux.RebootRestart : Linux.RebootPowerOff;
}

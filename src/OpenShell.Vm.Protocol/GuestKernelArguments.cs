namespace OpenShell.Vm.Protocol;

/// <summary>The kernel arguments that PID 1 reads as well: what it must know before the host can tell it.</summary>
public static class GuestKernelArguments
{
    /// <summary>Names the disks in the order in which the guest sees them, where their serial numbers do not: <c>openshell.disks=A,B</c>.</summary>
    public const string Disks = "openshell.disks";

    /// <summary>The kernel's own: the machine is reset by its keyboard controller. Only hypervisors without another way to end a machine are given it.</summary>
    public const string ResetIsTheEnd = "reboot=k";
}

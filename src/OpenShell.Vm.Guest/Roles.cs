using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest;

/// <summary>What this program is, by how it was started.</summary>
internal static class Roles
{
    /// <summary>Runs the role; PID 1's never return.</summary>
    /// <param name="commandLine">With argv[0].</param>
    public static int Run(string[] commandLine)
    {
        // In a folder of the host: libkrun's init has mounted /dev, /proc and /sys, and may still be PID 1.
        if (commandLine is [_, GuestPaths.InitInDirectory])
            return LastResort.Guard(BootSequence.Run);
        if (Environment.ProcessId == 1)
            return LastResort.Guard(InitramfsStage.IsCurrent() ? InitramfsStage.Run : BootSequence.Run);
        if (commandLine is [_, FrontRole.Argument])
            return FrontRole.Run();
        if (Path.GetFileName(commandLine[0]) == DhcpHook.Name)
            return DhcpHook.Run(commandLine.Length > 1 ? commandLine[1] : null);
        Console.Error.WriteLine("openshell-init is PID 1 of an OpenShell guest; it does nothing when started by hand.");
        return 2;
    }
}

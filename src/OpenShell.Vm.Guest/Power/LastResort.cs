using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Power;

/// <summary>
/// What happens when nothing else caught it: the kernel panics when PID 1 ends, so PID 1 says what happened and powers off instead.
/// </summary>
internal static class LastResort
{
    /// <summary>Runs PID 1's work. Returns only outside of a virtual machine.</summary>
    public static int Guard(Action work)
    {
        // Exceptions of other threads: the runtime would abort the process after this handler.
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) => Die((Exception)unhandled.ExceptionObject);
        try
        {
            work();
        }
        catch (Exception exception)
        {
            Die(exception);
        }

        return 1;
    }

    /// <summary>The host finds this line on the console (<c>GuestConsole</c> of OpenShell.Vm): an orderly power-off alone would look as if somebody had wanted it.</summary>
    internal static string Words(GuestFault fault) => $"FAULT {fault.Code}: {fault.What} {fault.Remedy}";

    private static void Die(Exception exception)
    {
        var fault = GuestFaultException.Of(exception);
        KernelConsole.Say(Words(fault));
        if (exception is not GuestFaultException || exception.InnerException is not null)
            KernelConsole.Say(exception.ToString());
        Linux.Sync();
        _ = Linux.Reboot(MachineEnd.Off);
    }
}

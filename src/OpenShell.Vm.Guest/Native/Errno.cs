using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Native;

/// <summary>The error numbers that decide something here, and the one place that turns them into sentences.</summary>
internal static class Errno
{
    public const int NotPermitted = 1, NoEntry = 2, NoProcess = 3, BadDescriptor = 9, Busy = 16, Exists = 17, NoDevice = 19, Invalid = 22;

    /// <summary>The calling thread's last error.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The last error as people read it: <c>No such file or directory (2)</c>.</summary>
    public static string LastText => Text(Last);

    /// <summary>An error number as people read it.</summary>
    public static string Text(int number) => $"{Marshal.GetPInvokeErrorMessage(number)} ({number})";
}

using System.Globalization;
using System.Text;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest;

/// <summary>
/// Lines for people on the guest's console, which the host keeps as <c>console.log</c>. Written straight to descriptor 2:
/// System.Console would cost start time, and take over signals that PID 1 needs.
/// </summary>
internal static class KernelConsole
{
    /// <summary>Opens <c>/dev/console</c> as stdin, stdout and stderr: the kernel could not when the initramfs has no such node.</summary>
    public static void Attach()
    {
        var console = Linux.Open("/dev/console", Linux.OpenReadWrite | Linux.OpenNoControllingTerminal, 0);
        if (console < 0)
            return;
        for (var standard = 0; standard <= 2; standard++)
        {
            if (console != standard)
                _ = Linux.Duplicate(console, standard);
        }

        if (console > 2)
            _ = Linux.Close(console);
    }

    /// <summary>Writes one line with the time since the kernel started. Never fails.</summary>
    public static unsafe void Say(string text)
    {
        var seconds = Uptime.Nanoseconds / 1e9;
        // One write per line, so that lines of different threads do not mix.
        var bytes = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"[{seconds,8:0.000}] openshell-init: {text}\n"));
        fixed (byte* start = bytes)
            _ = Linux.Write(2, start, (nuint)bytes.Length);
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Power;

/// <summary>
/// The machine's power button, which the host presses (QMP <c>system_powerdown</c>) when the agent does not answer: the same orderly end, asked for another way. Where the kernel has no ACPI or not
/// its button driver, nobody hears it, and the host goes on to its next means.
/// </summary>
internal static class PowerButton
{
    private const string Modules = "/lib/modules", Driver = "kernel/drivers/acpi/button.ko";

    /// <summary>More than any of its messages.</summary>
    private const int MessageSize = 8192;

    /// <summary>Listens from now on, on a thread of its own, which does nothing else.</summary>
    public static void Watch(Action pressed) => new Thread(() => Listen(pressed), maxStackSize: 128 * 1024) { IsBackground = true, Name = "power button" }.Start();

    private static void Listen(Action pressed)
    {
        try
        {
            LoadDriver();
            using var socket = Open();
            var message = new byte[MessageSize];
            Write(socket, AcpiEvents.AskForFamily());
            if (AcpiEvents.GroupIn(message.AsSpan(0, Read(socket, message))) is not { } group)
                return;
            Join(socket, group);
            while (true)
            {
                if (AcpiEvents.IsPowerButton(message.AsSpan(0, Read(socket, message))))
                    pressed();
            }
        }
        catch (IOException exception)
        {
            KernelConsole.Say($"power button: {exception.Message}");
        }
    }

    /// <summary>Debian has it as a module, others built in; it needs no other.</summary>
    private static void LoadDriver()
    {
        if (!Directory.Exists(Modules))
            return;
        foreach (var release in Directory.EnumerateDirectories(Modules))
        {
            if (File.Exists(Path.Combine(release, Driver)) && ModuleLoader.Load(Path.Combine(release, Driver)) is { } error)
                KernelConsole.Say("module not loaded: " + error);
        }
    }

    private static SafeFileHandle Open()
    {
        var socket = new SafeFileHandle(Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, Libc.NETLINK_GENERIC), ownsHandle: true);
        return socket.IsInvalid ? throw Failure("socket") : socket;
    }

    // Every pointer is only used during the call, and of the length that is said.
    private static unsafe void Write(SafeFileHandle socket, byte[] message)
    {
        fixed (byte* start = message)
        {
            if (Libc.write(socket, start, (nuint)message.Length) < 0)
                throw Failure("write");
        }
    }

    private static unsafe int Read(SafeFileHandle socket, byte[] message)
    {
        fixed (byte* start = message)
        {
            nint length;
            do
                length = Libc.read(socket, start, (nuint)message.Length);
            while (length < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR);
            return length >= 0 ? (int)length : throw Failure("read");
        }
    }

    private static unsafe void Join(SafeFileHandle socket, int group)
    {
        if (Libc.setsockopt(socket, Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, &group, sizeof(int)) != 0)
            throw Failure("setsockopt");
    }

    private static IOException Failure(string what) => new($"netlink {what}: {Libc.Message(Marshal.GetLastPInvokeError())}");
}

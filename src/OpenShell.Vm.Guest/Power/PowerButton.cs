using System.Buffers.Binary;

namespace OpenShell.Vm.Guest.Power;

/// <summary>
/// The machine's power button, which the host presses (QMP <c>system_powerdown</c>) when the agent does not answer: the same orderly end, asked for another way. There where the kernel has
/// ACPI's button driver and evdev; else nobody hears it, and the host goes on to its next means.
/// </summary>
internal static class PowerButton
{
    private const string Devices = "/dev/input";

    // struct input_event on 64-bit Linux, include/uapi/linux/input.h: time (16 bytes), type (2), code (2), value (4).
    private const int EventSize = 24, TypeOffset = 16, CodeOffset = 18, ValueOffset = 20;
    private const ushort Key = 1, PowerKey = 116; // EV_KEY, KEY_POWER

    /// <summary>Listens from now on, on a thread for each device: they are one or two, and nothing else blocks on them.</summary>
    public static void Watch(Action pressed)
    {
        if (!Directory.Exists(Devices))
            return;
        foreach (var device in Directory.EnumerateFiles(Devices, "event*"))
            new Thread(() => Read(device, pressed), maxStackSize: 128 * 1024) { IsBackground = true, Name = Path.GetFileName(device) }.Start();
    }

    /// <summary>Whether an event is the power button going down.</summary>
    public static bool IsPress(ReadOnlySpan<byte> happened) =>
        happened.Length >= EventSize
        && BinaryPrimitives.ReadUInt16LittleEndian(happened[TypeOffset..]) == Key
        && BinaryPrimitives.ReadUInt16LittleEndian(happened[CodeOffset..]) == PowerKey
        && BinaryPrimitives.ReadInt32LittleEndian(happened[ValueOffset..]) == 1;

    private static void Read(string device, Action pressed)
    {
        try
        {
            using var events = new FileStream(device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var happened = new byte[EventSize];
            while (events.Read(happened) == EventSize)
            {
                if (IsPress(happened))
                    pressed();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            KernelConsole.Say($"{device}: {exception.Message}");
        }
    }
}

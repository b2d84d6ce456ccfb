using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>
/// A port of virtio-serial (drivers/char/virtio_console.c). While no host is connected, reading returns 0 at once and writing finds no room, and
/// the port reports neither until one connects: so whoever opens it writes first, and takes an end of the stream as the sign to open it anew.
/// </summary>
internal sealed class VirtioSerialPort(string path) : AgentPort
{
    private const string Class = "/sys/class/virtio-ports";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Waits for the port: the host announces it by messages that arrive some time after its driver was loaded, and no udev tells of it here. Hence the short pauses.
    /// </summary>
    public override async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (Find() is { } device)
            {
                var fd = Libc.open(device, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_NOCTTY | Libc.O_CLOEXEC, 0);
                // A read gives one of the driver's buffers at most, a page.
                if (fd >= 0)
                    return new FdStream(new SafeFileHandle(fd, ownsHandle: true), runInline: true, fillReads: true);
                throw new IOException($"{device}: {Libc.Message(Marshal.GetLastPInvokeError())}");
            }
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The path if udev made it, else the device that sysfs gives this name.</summary>
    private string? Find()
    {
        if (File.Exists(path))
            return path;
        if (!Directory.Exists(Class))
            return null;
        var name = Path.GetFileName(path);
        foreach (var port in Directory.EnumerateDirectories(Class))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(port, "name")).Trim() == name)
                    return Path.Combine("/dev", Path.GetFileName(port));
            }
            catch (IOException)
            {
                // Not named yet, or never: other ports have no name.
            }
        }
        return null;
    }
}

using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Makes <c>/dev/virtio-ports/NAME</c>, which udev would make elsewhere: the kernel only knows <c>/dev/vport0p1</c> and its name in sysfs.</summary>
internal static class VirtioPorts
{
    private const string Class = "/sys/class/virtio-ports";

    /// <summary>Waits until the agent's port is there (the hypervisor tells its name in a message after the driver has started) and links it.</summary>
    /// <exception cref="GuestFaultException">It does not come.</exception>
    public static void LinkAgent(TimeSpan patience)
    {
        var deadline = Uptime.Nanoseconds + ((long)patience.TotalMilliseconds * 1_000_000);
        for (var pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            if (Find() is { } device)
            {
                Mounts.Mounter.MakeFolders(Path.GetDirectoryName(GuestPaths.AgentPort)!);
                File.CreateSymbolicLink(GuestPaths.AgentPort, device);
                return;
            }

            if (Uptime.Nanoseconds > deadline)
            {
                throw new GuestFaultException(
                    "guest.agent-port-missing",
                    $"no virtio-serial port named {GuestPaths.AgentPortName} came within {patience.TotalSeconds} s.",
                    "Check the hypervisor's arguments, and that the initramfs holds virtio_console.");
            }

            Thread.Sleep(pause);
        }
    }

    private static string? Find()
    {
        if (!Directory.Exists(Class))
            return null;
        foreach (var port in Directory.EnumerateDirectories(Class))
        {
            var name = port + "/name";
            if (File.Exists(name) && File.ReadAllText(name).Trim() == GuestPaths.AgentPortName)
                return "/dev/" + Path.GetFileName(port);
        }

        return null;
    }
}

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Finds disks by the serial number that the host gave them; their letters depend on the hypervisor.</summary>
internal static class BlockDevices
{
    /// <summary>How long a disk may take to appear. virtio-blk adds it while its module loads; seconds mean that it is not there at all.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The device file of the disk with a serial number, or <see langword="null"/>.</summary>
    /// <param name="serial">As given to the hypervisor, at most 20 characters.</param>
    /// <param name="sysBlock">For tests.</param>
    public static string? Find(string serial, string sysBlock = "/sys/block")
    {
        foreach (var device in Directory.EnumerateDirectories(sysBlock))
        {
            var name = Path.GetFileName(device);
            // Only virtio-blk has this attribute; loop and ram disks are not asked.
            if (name.StartsWith("vd", StringComparison.Ordinal) && ReadSerial(device + "/serial") == serial)
                return "/dev/" + name;
        }

        return null;
    }

    /// <summary>Every disk with its serial number, for a message about one that is missing.</summary>
    public static string Describe(string sysBlock = "/sys/block")
    {
        var disks = Directory.EnumerateDirectories(sysBlock).Select(d => $"{Path.GetFileName(d)} (serial '{ReadSerial(d + "/serial")}')").Order();
        var text = string.Join(", ", disks);
        return text.Length == 0 ? "none" : text;
    }

    /// <summary>Waits until the disk is there. A short poll: an uevent socket would cost more than the usual wait of none.</summary>
    /// <returns>Its device file, or <see langword="null"/> after <paramref name="patience"/>.</returns>
    public static string? WaitFor(string serial, TimeSpan patience)
    {
        var deadline = Uptime.Nanoseconds + ((long)patience.TotalMilliseconds * 1_000_000);
        for (var pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            if (Find(serial) is { } device && File.Exists(device))
                return device;
            if (Uptime.Nanoseconds > deadline)
                return null;
            Thread.Sleep(pause);
        }
    }

    private static string? ReadSerial(string file)
    {
        try
        {
            return File.ReadAllText(file).TrimEnd('\n', '\0', ' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}

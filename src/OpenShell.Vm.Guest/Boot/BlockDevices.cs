using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Finds disks by the serial number that the host gave them; their letters depend on the hypervisor. Where that has none to give, by the order that the kernel's arguments tell.</summary>
internal static class BlockDevices
{
    /// <summary>How long a disk may take to appear. virtio-blk adds it while its module loads; seconds mean that it is not there at all.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The device file of the disk with a serial number, or <see langword="null"/>.</summary>
    /// <param name="serial">As given to the hypervisor, at most 20 characters.</param>
    /// <param name="sysBlock">For tests.</param>
    /// <param name="names">For tests: the disks' names in order, in place of the kernel's argument.</param>
    public static string? Find(string serial, string sysBlock = "/sys/block", string[]? names = null)
    {
        foreach (var device in Directory.EnumerateDirectories(sysBlock))
        {
            var name = Path.GetFileName(device);
            // Only virtio-blk has this attribute; loop and ram disks are not asked.
            if (name.StartsWith("vd", StringComparison.Ordinal) && ReadSerial(device + "/serial") == serial)
                return "/dev/" + name;
        }

        return FindByOrder(serial, sysBlock, names ?? NamesInOrder());
    }

    /// <summary>libkrun gives disks serial numbers of its own making; it attaches them in the order in which it was told of them, which is the order of their letters.</summary>
    private static string? FindByOrder(string serial, string sysBlock, string[] names)
    {
        var index = Array.IndexOf(names, serial);
        var letters = Directory.EnumerateDirectories(sysBlock).Select(Path.GetFileName).Where(name => name!.StartsWith("vd", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        return index >= 0 && index < letters.Length ? "/dev/" + letters[index] : null;
    }

    private static string[] NamesInOrder() =>
        KernelArguments.Value(KernelArguments.Current(), GuestKernelArguments.Disks)?.Split(',') ?? [];

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

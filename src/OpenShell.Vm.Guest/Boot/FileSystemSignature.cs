using System.Buffers.Binary;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Tells a file system by its superblock.</summary>
internal static class FileSystemSignature
{
    /// <summary>How much of a device is looked at: up to the end of ext4's superblock.</summary>
    public const int Reach = 2048;

    /// <summary>The kernel's name of the file system that begins a device, or <see langword="null"/> when it is none of those that can be a root.</summary>
    /// <param name="start">The first bytes of the device.</param>
    public static string? Identify(ReadOnlySpan<byte> start)
    {
        // https://docs.kernel.org/filesystems/squashfs.html: "hsqs" at 0
        if (start.Length >= 4 && start[..4].SequenceEqual("hsqs"u8))
            return "squashfs";
        if (start.Length < 2048)
            return null;
        // fs/erofs/erofs_fs.h: EROFS_SUPER_MAGIC_V1 at 1024; fs/ext4/ext4.h: s_magic at 1024 + 56
        if (BinaryPrimitives.ReadUInt32LittleEndian(start[1024..]) == 0xE0F5E1E2)
            return "erofs";
        return BinaryPrimitives.ReadUInt16LittleEndian(start[(1024 + 56)..]) == 0xEF53 ? "ext4" : null;
    }

    /// <summary>
    /// Whether a device holds nothing but zeros where file systems, partition tables, RAID and volume managers keep what they are known by: in its first and last
    /// two MiB. A new disk image does; for any other, blkid is asked.
    /// </summary>
    public static bool IsBlank(string device)
    {
        const int Margin = 2 << 20;
        using var file = File.OpenHandle(device);
        var length = DeviceLength(device, file);
        var buffer = new byte[128 << 10];
        return IsZero(0, Math.Min(Margin, length)) && IsZero(Math.Max(0, length - Margin), length);

        bool IsZero(long from, long until)
        {
            for (var at = from; at < until;)
            {
                var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, until - at)), at);
                if (read == 0)
                    return true;
                if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
                    return false;
                at += read;
            }

            return true;
        }
    }

    /// <summary>The size of a device or file in bytes.</summary>
    public static long DeviceLength(string device)
    {
        using var file = File.OpenHandle(device);
        return DeviceLength(device, file);
    }

    /// <summary>A block device has no length as a file has; its size in sectors of 512 bytes is in sysfs.</summary>
    private static long DeviceLength(string device, Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        var size = $"/sys/class/block/{Path.GetFileName(device)}/size";
        return File.Exists(size) ? long.Parse(File.ReadAllText(size), System.Globalization.CultureInfo.InvariantCulture) * 512 : RandomAccess.GetLength(file);
    }

    /// <summary>Reads the start of a device or file.</summary>
    public static byte[] ReadStart(string device)
    {
        using var file = File.OpenHandle(device);
        var start = new byte[Reach];
        var length = 0;
        while (length < start.Length && RandomAccess.Read(file, start.AsSpan(length), length) is > 0 and var read)
            length += read;
        return start[..length];
    }
}

using System.Buffers.Binary;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>
/// A log of all writes to a disk, as QEMU's <c>blklogwrites</c> makes it: the format of Linux's device mapper, https://docs.kernel.org/admin-guide/device-mapper/log-writes.html
/// and struct log_write_super and log_write_entry of drivers/md/dm-log-writes.c. A first sector says how many entries there are; each entry is a sector of its own, followed by its data.
/// </summary>
internal sealed class WriteLog
{
    private const ulong Magic = 0x6a736677736872;
    private const int Flush = 1, Fua = 2, Discard = 4, Mark = 8;

    private readonly string _path;
    /// <summary>Of a log for which no other was asked (log-sector-size).</summary>
    private const int DefaultSector = 512;

    private readonly List<Entry> _entries = [];
    private readonly int _sector;

    private WriteLog(string path, int sector) => (_path, _sector) = (path, sector);

    /// <summary>How many writes there are in all.</summary>
    public int Writes => _entries.Count(entry => entry.Sectors > 0);

    /// <summary>How many of them were flushed.</summary>
    public int Flushed => _entries.Take(LastFlush + 1).Count(entry => entry.Sectors > 0);

    private int LastFlush => _entries.FindLastIndex(entry => (entry.Flags & (Flush | Fua)) != 0);

    /// <summary>Reads the entries of a log whose writer is gone. Those that came after the count was written last are there too, up to the one that was being written.</summary>
    public static WriteLog Read(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        var head = new byte[32];
        if (RandomAccess.Read(file, head, 0) < head.Length)
            return new WriteLog(path, DefaultSector);

        // QEMU writes its head with the first flush: without one nothing was flushed yet.
        var (magic, counted, sector) = (BinaryPrimitives.ReadUInt64LittleEndian(head), BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(16)), (int)BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(24)));
        if (magic == 0)
            (counted, sector) = (0, DefaultSector);
        else
            magic.ShouldBe(Magic);
        var log = new WriteLog(path, sector);
        for (long at = sector; at + sector <= length;)
        {
            RandomAccess.Read(file, head, at);
            var entry = new Entry(
                BinaryPrimitives.ReadInt64LittleEndian(head), BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(16)), at + sector);
            var data = (entry.Flags & Discard) != 0 ? 0 : entry.Sectors * sector;
            if (entry is { Sectors: 0, Flags: 0 } || entry.Data + data > length)
                break;
            (entry.Flags & ~(Flush | Fua | Discard | Mark)).ShouldBe(0, $"flags at {at}");
            log._entries.Add(entry);
            at = entry.Data + data;
        }

        log._entries.Count.ShouldBeGreaterThanOrEqualTo((int)counted, "entries of the log");
        return log;
    }

    /// <summary>
    /// Writes to a disk as it was before the log what was flushed until the power went; what came later is lost, but for what <paramref name="survives"/> says of each of its sectors.
    /// </summary>
    public void Replay(string disk, Func<bool>? survives = null)
    {
        using var log = File.OpenHandle(_path);
        using var target = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite);
        var flushed = LastFlush;
        var buffer = new byte[1 << 20];
        foreach (var (i, entry) in _entries.Index())
        {
            if (i <= flushed)
                Copy(log, entry, 0, entry.Sectors, target, buffer);
            else if (survives is not null)
            {
                // Whole pages: a disk's own sectors are 4 KiB these days.
                var page = Math.Max(1, 4096 / _sector);
                for (long from = 0; from < entry.Sectors; from += page)
                {
                    if (survives())
                        Copy(log, entry, from, Math.Min(page, entry.Sectors - from), target, buffer);
                }
            }
        }
    }

    private void Copy(Microsoft.Win32.SafeHandles.SafeFileHandle log, Entry entry, long from, long sectors, Microsoft.Win32.SafeHandles.SafeFileHandle target, byte[] buffer)
    {
        for (long done = 0, size = sectors * _sector; done < size;)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - done));
            if ((entry.Flags & Discard) != 0)
                part.Clear();
            else
                RandomAccess.Read(log, part, entry.Data + (from * _sector) + done).ShouldBe(part.Length);
            RandomAccess.Write(target, part, ((entry.Sector + from) * _sector) + done);
            done += part.Length;
        }
    }

    /// <param name="Sector">Where it was written.</param>
    /// <param name="Sectors">How much.</param>
    /// <param name="Flags">What it is.</param>
    /// <param name="Data">Where its data is in the log.</param>
    private readonly record struct Entry(long Sector, long Sectors, long Flags, long Data);
}

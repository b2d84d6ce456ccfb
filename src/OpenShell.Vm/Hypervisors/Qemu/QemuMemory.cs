using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Hypervisors.Qemu;

/// <summary>
/// The guest's memory as it lies in QEMU's address space, read and written from outside while the machine is held (https://man7.org/linux/man-pages/man5/proc_pid_mem.5.html). The kernel tells which pages are the machine's own
/// (https://docs.kernel.org/admin-guide/mm/pagemap.html): what it only maps from a golden image need not be saved, nor what it never touched. QEMU's own way reads every page, and writes all that are not zeros.
/// </summary>
internal sealed partial class QemuMemory : IDisposable
{
    private const int Page = 4096;

    private const int Chunk = 1 << 20;

    // Bits of an entry of pagemap.
    private const ulong Present = 1UL << 63, Swapped = 1UL << 62, OfFile = 1UL << 61;

    // "OSVMPAGE": then the machine's memory in bytes, the number of runs, of each the number of its first page and how many there are; from the next whole page on their content, in order.
    private const ulong Magic = 0x45474150_4d56534f;

    private const int HeaderLength = 24, RunLength = 16;

    private readonly SafeFileHandle _memory;
    private readonly string _pagemap;
    private readonly long _start, _size;

    private QemuMemory(SafeFileHandle memory, string pagemap, long start, long size) => (_memory, _pagemap, _start, _size) = (memory, pagemap, start, size);

    /// <summary>Opens it; <see langword="null"/> where this system has no such thing, or does not let this process: only a parent may, or root (https://docs.kernel.org/admin-guide/LSM/Yama.html).</summary>
    internal static async Task<QemuMemory?> TryOpenAsync(QmpClient qmp, int pid, long size, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || Environment.SystemPageSize != Page)
            return null;
        try
        {
            var blocks = (await qmp.ExecuteAsync("x-query-ramblock", null, cancellationToken).ConfigureAwait(false))?["human-readable-text"]?.GetValue<string>() ?? "";
            return StartOf(blocks, size) is { } start
                ? new QemuMemory(LockFile.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/mem"), create: false), string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/pagemap"), start, size)
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Where the block of that size begins in QEMU's address space; <see langword="null"/>: there is none, or more than one.</summary>
    internal static long? StartOf(string blocks, long size)
    {
        var found = BlockLine().Matches(blocks).Where(line => Number(line.Groups["total"].Value) == size).ToList();
        return found is [var only] ? Number(only.Groups["start"].Value) : null;
    }

    /// <summary>Writes the pages of a machine that is held. What is not written is, when it goes on, as its base has it, or zeros.</summary>
    /// <param name="path">A file that is there, and empty.</param>
    /// <param name="hasBase">Whether it maps a file: then a page of its own may be zeros too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task SaveAsync(string path, bool hasBase, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        var runs = hasBase ? OwnPages() : await WithoutZerosAsync(OwnPages(), cancellationToken).ConfigureAwait(false);
        var at = DataStart(runs.Count);
        var head = new byte[at];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), _size);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), runs.Count);
        for (var i = 0; i < runs.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(HeaderLength + (i * RunLength)), runs[i].First);
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(HeaderLength + (i * RunLength) + 8), runs[i].Count);
        }

        await RandomAccess.WriteAsync(file, head, 0, cancellationToken).ConfigureAwait(false);
        var buffer = new byte[Chunk];
        foreach (var (offset, length) in runs.SelectMany(Chunks))
        {
            Read(offset, buffer.AsSpan(0, length));
            await RandomAccess.WriteAsync(file, buffer.AsMemory(0, length), at, cancellationToken).ConfigureAwait(false);
            at += length;
        }
    }

    /// <summary>Puts them where they were, in a machine that has not run yet.</summary>
    /// <exception cref="InvalidDataException">The file is no such file, or of another machine.</exception>
    internal async Task LoadAsync(string path, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var head = new byte[HeaderLength];
        await ReadExactlyAsync(file, head, 0, cancellationToken).ConfigureAwait(false);
        var count = BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(16));
        if (BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic || BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(8)) != _size || count < 0 || count > _size / Page)
            throw new InvalidDataException($"{path} does not hold the memory of a machine of {_size >> 20} MiB.");
        var list = new byte[count * RunLength];
        await ReadExactlyAsync(file, list, HeaderLength, cancellationToken).ConfigureAwait(false);
        var buffer = new byte[Chunk];
        long at = DataStart((int)count);
        for (var i = 0; i < count; i++)
        {
            var run = new Run(BinaryPrimitives.ReadInt64LittleEndian(list.AsSpan(i * RunLength)), BinaryPrimitives.ReadInt64LittleEndian(list.AsSpan((i * RunLength) + 8)));
            if (run.First < 0 || run.Count < 0 || run.First > (_size / Page) - run.Count)
                throw new InvalidDataException($"{path} has pages that are not in the machine's memory.");
            foreach (var (offset, length) in Chunks(run))
            {
                await ReadExactlyAsync(file, buffer.AsMemory(0, length), at, cancellationToken).ConfigureAwait(false);
                RandomAccess.Write(_memory, buffer.AsSpan(0, length), _start + offset);
                at += length;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    /// <summary>The pages that are in memory or swapped out, and no file's.</summary>
    private List<Run> OwnPages()
    {
        using var pagemap = File.OpenHandle(_pagemap);
        var runs = new List<Run>();
        var entries = new byte[Chunk];
        for (long page = 0, pages = _size / Page; page < pages;)
        {
            var read = RandomAccess.Read(pagemap, entries.AsSpan(0, (int)Math.Min(entries.Length, (pages - page) * sizeof(ulong))), ((_start / Page) + page) * sizeof(ulong)) / sizeof(ulong);
            if (read == 0)
                throw new IOException($"{_pagemap} ends before the machine's memory does.");
            for (var i = 0; i < read; i++)
            {
                var entry = BinaryPrimitives.ReadUInt64LittleEndian(entries.AsSpan(i * sizeof(ulong)));
                if ((entry & Swapped) != 0 || ((entry & Present) != 0 && (entry & OfFile) == 0))
                    Add(runs, page + i);
            }

            page += read;
        }

        return runs;
    }

    /// <summary>Without those that are zeros, as those of a machine that goes on are where nothing is written.</summary>
    private async Task<List<Run>> WithoutZerosAsync(List<Run> runs, CancellationToken cancellationToken)
    {
        var kept = new List<Run>();
        var buffer = new byte[Chunk];
        await Task.Yield();
        foreach (var (offset, length) in runs.SelectMany(Chunks))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Read(offset, buffer.AsSpan(0, length));
            for (var start = 0; start < length; start += Page)
            {
                if (buffer.AsSpan(start, Page).ContainsAnyExcept((byte)0))
                    Add(kept, (offset + start) / Page);
            }
        }

        return kept;
    }

    private void Read(long offset, Span<byte> into)
    {
        for (var read = 0; read < into.Length;)
        {
            var more = RandomAccess.Read(_memory, into[read..], _start + offset + read);
            read += more > 0 ? more : throw new IOException("QEMU's memory cannot be read to its end.");
        }
    }

    private static async Task ReadExactlyAsync(SafeFileHandle file, Memory<byte> into, long at, CancellationToken cancellationToken)
    {
        for (var read = 0; read < into.Length;)
        {
            var more = await RandomAccess.ReadAsync(file, into[read..], at + read, cancellationToken).ConfigureAwait(false);
            read += more > 0 ? more : throw new InvalidDataException("A saved memory ends before its last page.");
        }
    }

    private static void Add(List<Run> runs, long page)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.First + last.Count == page)
            runs[^1] = last with { Count = last.Count + 1 };
        else
            runs.Add(new Run(page, 1));
    }

    private static IEnumerable<(long Offset, int Length)> Chunks(Run run)
    {
        for (long done = 0, bytes = run.Count * Page; done < bytes; done += Chunk)
            yield return ((run.First * Page) + done, (int)Math.Min(Chunk, bytes - done));
    }

    private static int DataStart(int runs) => (HeaderLength + (runs * RunLength) + Page - 1) / Page * Page;

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    // Such as "memory    4 KiB  0x0000000000000000 0x00000000c0000000 0x00000000c0000000 0x00007f3d6be00000  rw": name, size of its pages, offset, used, total, place.
    [GeneratedRegex(@"0x[0-9a-f]+\s+0x[0-9a-f]+\s+0x(?<total>[0-9a-f]+)\s+0x(?<start>[0-9a-f]+)")]
    private static partial Regex BlockLine();

    private readonly record struct Run(long First, long Count);
}

using System.Globalization;
using System.Security.Cryptography;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Snapshots;

/// <summary>A disk at one instant: what a saved machine's memory belongs to. With any other disk it would destroy what is on it.</summary>
internal sealed record DiskState
{
    /// <summary>How often the disk was given to a machine to write to, this one included.</summary>
    public required long Generation { get; init; }

    /// <summary>The disk and all that it stands on, from the top.</summary>
    public required IReadOnlyList<DiskPart> Chain { get; init; }

    /// <summary>Of an instance at rest.</summary>
    internal static DiskState Of(InstanceFiles files) => Of(files.ExistingStateDisk ?? files.StateDisk, DiskGeneration.Read(files));

    /// <summary>Of a disk that nobody writes to.</summary>
    internal static DiskState Of(string disk, long generation) => new() { Generation = generation, Chain = [.. DiskImage.Chain(disk).Select(DiskPart.Of)] };

    /// <summary>How the disk is not this one any more, for a person; <see langword="null"/>: it is.</summary>
    internal string? Change(InstanceFiles files)
    {
        if (DiskGeneration.Read(files) is var generation && generation != Generation)
            return string.Create(CultureInfo.InvariantCulture, $"the disk has moved on (generation {generation}; the memory is of {Generation})");
        var now = Of(files).Chain;
        return now.Count == Chain.Count ? Chain.Zip(now, (then, at) => then.Change(at)).FirstOrDefault(change => change is not null) : "the disk stands on something else";
    }
}

/// <summary>One file of a disk.</summary>
internal sealed record DiskPart(string Name, string HeaderSha256, FileStamp Stamp)
{
    // The header of a qcow2 image with its extensions and the name below it.
    private const int HeaderBytes = 4096;

    internal static DiskPart Of(string path)
    {
        // One that is gone is like no other.
        if (HostFiles.Stamp(path) is not { } stamp)
            return new DiskPart(Path.GetFileName(path), "", new FileStamp(0, 0, 0, 0));
        var header = new byte[HeaderBytes];
        using var file = Qcow2Header.OpenShared(path);
        var length = RandomAccess.Read(file, header, 0);
        return new DiskPart(Path.GetFileName(path), Convert.ToHexStringLower(SHA256.HashData(header.AsSpan(0, length))), stamp);
    }

    // A second name, or another mode, changes no content: the time of that is not compared.
    internal string? Change(DiskPart now) =>
        now.HeaderSha256 != HeaderSha256 ? $"the header of {now.Name} is another"
        : (now.Stamp with { ChangedNanoseconds = 0 }) != (Stamp with { ChangedNanoseconds = 0 }) ? $"{now.Name} was written to or replaced since"
        : null;
}

/// <summary>Counts how often an instance's disk was given to a machine to write to. Written before that happens: whatever comes then, a memory of before does not fit any more.</summary>
internal static class DiskGeneration
{
    internal static long Read(InstanceFiles files) =>
        File.Exists(files.Generation) && long.TryParse(File.ReadAllText(files.Generation), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    internal static void Advance(InstanceFiles files, bool durable = true) =>
        AtomicFile.Write(files.Generation, System.Text.Encoding.ASCII.GetBytes((Read(files) + 1).ToString(CultureInfo.InvariantCulture)), durable);
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Disks;

/// <summary>Which instances' disks stand on which: asked of the disks themselves, so that no list of it can be wrong.</summary>
internal sealed class DiskLineage(InstanceStore store)
{
    /// <summary>The instances, besides itself, whose disks stand on a base in an instance's folder.</summary>
    internal IReadOnlyList<string> ClonesOf(InstanceFiles files) =>
        [.. Others(files).Where(name => Below(store.Files(InstanceName.Parse(name))).Any(disk => IsIn(files, disk)))];

    /// <summary>The bases in an instance's folder on which other instances' disks stand.</summary>
    /// <exception cref="FaultException">There are bases, and an instance's disk cannot be followed to all that it stands on (<c>disk.lineage-unknown</c>): it may be any of them.</exception>
    internal IReadOnlySet<string> NeededByOthers(InstanceFiles files) =>
        (Bases(files).Any() ? Others(files).SelectMany(name => Followed(store.Files(InstanceName.Parse(name)), name)) : []).Where(disk => IsIn(files, disk)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Removes the bases in an instance's folder that no disk stands on any more; none where that cannot be told. The caller holds the lock.</summary>
    internal void RemoveUnused(InstanceFiles files)
    {
        if (!Bases(files).Any())
            return;
        HashSet<string> used;
        try
        {
            used = [.. NeededByOthers(files), .. Followed(files, Path.GetFileName(files.Root))];
        }
        catch (FaultException)
        {
            // They take space until the next 'disk compact', and nothing else.
            return;
        }

        foreach (var frozen in Bases(files).Where(frozen => !used.Contains(frozen)).ToArray())
            File.Delete(frozen);
    }

    /// <summary>The frozen disks in an instance's folder.</summary>
    internal static IEnumerable<string> Bases(InstanceFiles files) => Directory.EnumerateFiles(Path.GetFullPath(files.Root), InstanceFiles.BasePrefix + "*");

    /// <summary>Whether a disk, by its path in a chain, is in an instance's folder. That path has no <c>..</c> and no double slash; the folder's may, as the environment gave it.</summary>
    internal static bool IsIn(InstanceFiles files, string disk) => Path.GetDirectoryName(disk) == Path.GetFullPath(files.Root);

    /// <summary>What an instance's disk stands on, from the top, as far as it can be followed.</summary>
    internal static IEnumerable<string> Below(InstanceFiles files)
    {
        try
        {
            return files.ExistingStateDisk is { } disk ? DiskImage.Chain(disk).Skip(1) : [];
        }
        catch (FaultException)
        {
            // What stands on itself stands on nothing that could still help it.
            return [];
        }
    }

    private IEnumerable<string> Others(InstanceFiles files) => store.Names().Where(name => store.Files(InstanceName.Parse(name)).Root != files.Root);

    private static IEnumerable<string> Followed(InstanceFiles files, string name)
    {
        if (files.ExistingStateDisk is not { } disk)
            return [];
        var chain = DiskImage.Chain(disk);
        return DiskImage.IsWhole(chain) ? chain.Skip(1) : throw new FaultException(new Fault
        {
            Code = "disk.lineage-unknown",
            What = $"What the disk of {name} stands on cannot be told: {chain[^1]} is missing or damaged. It may be what would be removed.",
            Remedy = $"Put a copy of that file back, or delete that instance with 'gateway delete --name {name}'; nothing was changed.",
        });
    }
}

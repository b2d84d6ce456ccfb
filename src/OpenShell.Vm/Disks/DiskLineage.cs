using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Disks;

/// <summary>
/// Which instances' disks stand on which: asked of the disks themselves, so that no list of it can be wrong. A disk that cannot be read keeps nobody from anything but what could take from under it
/// what it stands on.
/// </summary>
internal sealed class DiskLineage(InstanceStore store)
{
    /// <summary>The instances, besides itself, whose disks are known to stand on a base in an instance's folder.</summary>
    internal IReadOnlyList<string> ClonesOf(InstanceFiles files) =>
        [.. Others(files).Where(other => Below(other.Files).Any(disk => IsIn(files, disk))).Select(other => other.Name)];

    /// <summary>The bases in an instance's folder on which other instances' disks stand.</summary>
    /// <exception cref="FaultException">There are bases, and an instance's disk cannot be followed to all that it stands on (<c>disk.lineage-unknown</c>): it may be any of them.</exception>
    internal IReadOnlySet<string> NeededByOthers(InstanceFiles files) =>
        (Bases(files).Any() ? Others(files).SelectMany(other => Followed(other.Files, other.Name)) : []).Where(disk => IsIn(files, disk)).ToHashSet(StringComparer.Ordinal);

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
    internal static IEnumerable<string> Below(InstanceFiles files) => Follow(files).Below;

    private IEnumerable<(string Name, InstanceFiles Files)> Others(InstanceFiles files) =>
        store.Names().Select(name => (Name: name, Files: store.FilesToLookAt(name))).Where(other => other.Files.Root != files.Root);

    private static IEnumerable<string> Followed(InstanceFiles files, string name)
    {
        var (below, unknown) = Follow(files);
        return unknown is null ? below : throw new FaultException(new Fault
        {
            Code = "disk.lineage-unknown",
            What = $"What the disk of {name} stands on cannot be told: {unknown}. It may be what would be removed.",
            Remedy = $"Put a copy of that file back, or give that instance up: 'gateway delete --name {name}', or 'gateway reset --name {name}', which throws away what is on its disk. Nothing was changed.",
        });
    }

    /// <summary>What an instance's disk stands on, and why that may not be all.</summary>
    private static (IReadOnlyList<string> Below, string? Unknown) Follow(InstanceFiles files)
    {
        try
        {
            // A folder that may not be entered looks empty to File.Exists.
            _ = Directory.EnumerateFileSystemEntries(files.Root).Any();
            if (files.ExistingStateDisk is not { } disk)
                return ([], null);
            var chain = DiskImage.Chain(disk);
            return ([.. chain.Skip(1)], DiskImage.IsWhole(chain) ? null : $"{chain[^1]} is missing or damaged");
        }
        catch (DirectoryNotFoundException)
        {
            // Deleted in this moment.
            return ([], null);
        }
        catch (FaultException e)
        {
            // What stands on itself stands on nothing that could still help it.
            return ([], e.Faults[0].What.TrimEnd('.'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return ([], e.Message.TrimEnd('.'));
        }
    }
}

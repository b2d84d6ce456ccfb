using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Disks;

/// <summary>Which instances' disks stand on which: asked of the disks themselves, so that no list of it can be wrong.</summary>
internal sealed class DiskLineage(InstanceStore store)
{
    /// <summary>The instances, besides itself, whose disks stand on a base in an instance's folder.</summary>
    internal IReadOnlyList<string> ClonesOf(InstanceFiles files) =>
        [.. store.Names().Where(name => store.Files(InstanceName.Parse(name)) is var other && other.Root != files.Root && Below(other).Any(disk => Path.GetDirectoryName(disk) == files.Root))];

    /// <summary>Removes the bases in an instance's folder that no disk stands on any more. The caller holds the lock.</summary>
    internal void RemoveUnused(InstanceFiles files)
    {
        var used = store.Names().SelectMany(name => Below(store.Files(InstanceName.Parse(name)))).ToHashSet(StringComparer.Ordinal);
        foreach (var frozen in Bases(files).Where(frozen => !used.Contains(frozen)))
            File.Delete(frozen);
    }

    /// <summary>The frozen disks in an instance's folder.</summary>
    internal static IEnumerable<string> Bases(InstanceFiles files) => Directory.EnumerateFiles(files.Root, InstanceFiles.BasePrefix + "*");

    /// <summary>What an instance's disk stands on, from the top.</summary>
    internal static IEnumerable<string> Below(InstanceFiles files) =>
        files.ExistingStateDisk is { } disk && IsReadable(disk) ? DiskImage.Chain(disk).Skip(1) : [];

    // An instance whose disk is damaged stands on nothing that could still help it.
    private static bool IsReadable(string disk) => DiskImage.IsRaw(disk) || Qcow2Header.Read(disk) is not null;
}

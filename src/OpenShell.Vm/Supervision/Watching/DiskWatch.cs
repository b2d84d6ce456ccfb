using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>
/// Says that a disk fills up while something can still be done: the guest's state disk, at whose end the kubelet ends pods and databases stop; and the file system of the host that the disk's
/// image grows on, at whose end QEMU holds the machine.
/// </summary>
/// <param name="measure">The disks, as many as can be asked at the moment.</param>
/// <param name="publish">Takes them for the status.</param>
/// <param name="report">Takes the event.</param>
internal sealed class DiskWatch(Func<CancellationToken, Task<IReadOnlyList<DiskSpace>>> measure, Action<IReadOnlyList<DiskSpace>> publish, Reporting report) : IWatch
{
    /// <summary>Parts of the guest's disk: the kubelet deletes images at 15 % left and pods at 10 % (https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/).</summary>
    internal static readonly double[] GuestLevels = [0.25, 0.15, 0.05];

    /// <summary>Bytes on the host: a cluster writes some 700 MiB in its first minute.</summary>
    internal static readonly double[] HostLevels = [4.0 * (1L << 30), 1L << 30, 256L << 20];

    private const double GuestMargin = 0.2, HostMargin = 0.25;

    /// <summary>The status is written when it says something new, and not for each block.</summary>
    private const long Grain = 256L << 20;

    private readonly Dictionary<string, FillLevels> _levels = [];
    private IReadOnlyList<DiskSpace> _published = [];

    public string Name => "the disks";

    public TimeSpan Interval => TimeSpan.FromSeconds(20);

    /// <summary>The file system of the host that a folder lies on, at this moment.</summary>
    internal static DiskSpace OfHost(string folder)
    {
        var drive = new DriveInfo(folder);
        return new DiskSpace(DiskSpace.Host, folder, drive.TotalSize, drive.AvailableFreeSpace, drive.AvailableFreeSpace < HostLevels[0]);
    }

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        List<DiskSpace> disks = [];
        foreach (var disk in await measure(cancellationToken).ConfigureAwait(false))
        {
            var levels = LevelsOf(disk);
            if (levels.Take(disk.Where == DiskSpace.Guest ? (double)disk.FreeBytes / Math.Max(1, disk.TotalBytes) : disk.FreeBytes) is { } level)
                Tell(disk, level);
            disks.Add(disk with { NearlyFull = levels.Level > 0 });
        }

        if (!disks.Select(Coarse).SequenceEqual(_published.Select(Coarse)))
            publish(_published = disks);
    }

    private void Tell(DiskSpace disk, int level)
    {
        if (level == 0)
        {
            report(EventNames.DiskRoomAgain, $"{Named(disk)} has room again: {Left(disk)}", disk.Where);
            return;
        }

        var remedy = disk.Where == DiskSpace.Guest
            ? "delete what is not needed, or make it larger with 'gateway disk resize'"
            : "free some space; QEMU holds the machine when there is none left, and 'gateway image prune' and 'gateway disk compact' may give some back";
        report(EventNames.DiskNearlyFull, $"{Named(disk)} is nearly full: {Left(disk)}; {remedy}", disk.Where);
    }

    private static string Named(DiskSpace disk) => disk.Where == DiskSpace.Guest ? "the guest's disk" : $"the host's file system of {disk.Path}";

    private static string Left(DiskSpace disk) => string.Create(CultureInfo.InvariantCulture, $"{disk.FreeBytes >> 20} MiB of {disk.TotalBytes >> 20} are left");

    private static (string, long, bool) Coarse(DiskSpace disk) => (disk.Where + disk.Path, disk.FreeBytes / Grain, disk.NearlyFull);

    private FillLevels LevelsOf(DiskSpace disk)
    {
        if (!_levels.TryGetValue(disk.Where, out var levels))
            _levels.Add(disk.Where, levels = disk.Where == DiskSpace.Guest ? new FillLevels(GuestLevels, GuestMargin) : new FillLevels(HostLevels, HostMargin));
        return levels;
    }
}

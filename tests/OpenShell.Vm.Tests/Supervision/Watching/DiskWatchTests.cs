using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class DiskWatchTests
{
    private const long Gib = 1L << 30;

    private readonly List<(string Name, string? Subject)> _events = [];
    private readonly List<IReadOnlyList<DiskSpace>> _published = [];
    private readonly Dictionary<string, DiskSpace> _disks = new()
    {
        [DiskSpace.Host] = new(DiskSpace.Host, "/data", 100 * Gib, 50 * Gib),
        [DiskSpace.Guest] = new(DiskSpace.Guest, "/var/lib/openshell", 20 * Gib, 18 * Gib),
    };

    [Fact]
    public async Task Each_level_is_told_once_and_again_only_after_there_was_clearly_more_room()
    {
        var watch = Watch();
        await LookAsync(watch, DiskSpace.Guest, 18 * Gib);
        _events.ShouldBeEmpty();

        await LookAsync(watch, DiskSpace.Guest, (long)(4.9 * Gib));
        await LookAsync(watch, DiskSpace.Guest, (long)(5.1 * Gib));
        await LookAsync(watch, DiskSpace.Guest, (long)(4.9 * Gib));
        _events.ShouldBe([(EventNames.DiskNearlyFull, DiskSpace.Guest)]);

        await LookAsync(watch, DiskSpace.Guest, (long)(2.9 * Gib));
        await LookAsync(watch, DiskSpace.Guest, (long)(0.9 * Gib));
        _events.Count(e => e.Name == EventNames.DiskNearlyFull).ShouldBe(3);

        await LookAsync(watch, DiskSpace.Guest, 7 * Gib);
        _events[^1].ShouldBe((EventNames.DiskRoomAgain, DiskSpace.Guest));
        await LookAsync(watch, DiskSpace.Guest, (long)(4.9 * Gib));
        _events[^1].ShouldBe((EventNames.DiskNearlyFull, DiskSpace.Guest));
        _events.Count.ShouldBe(5);
    }

    [Fact]
    public async Task The_hosts_file_system_counts_by_what_is_left_and_not_by_its_size()
    {
        var watch = Watch();
        await LookAsync(watch, DiskSpace.Host, 5 * Gib);
        _events.ShouldBeEmpty();
        await LookAsync(watch, DiskSpace.Host, Gib / 2);
        _events.ShouldBe([(EventNames.DiskNearlyFull, DiskSpace.Host)]);
    }

    [Fact]
    public async Task The_status_has_both_and_says_which_is_nearly_full_and_is_not_written_for_every_block()
    {
        var watch = Watch();
        await LookAsync(watch, DiskSpace.Host, Gib / 2);
        _published.ShouldHaveSingleItem().Select(disk => (disk.Where, disk.NearlyFull)).ShouldBe([(DiskSpace.Host, true), (DiskSpace.Guest, false)]);
        await LookAsync(watch, DiskSpace.Host, (Gib / 2) + 4096);
        _published.Count.ShouldBe(1);
        await LookAsync(watch, DiskSpace.Host, 10 * Gib);
        _published.Count.ShouldBe(2);
        _published[^1][0].NearlyFull.ShouldBeFalse();
    }

    [Fact]
    public void A_value_that_swings_around_a_level_is_told_once()
    {
        var levels = new FillLevels([10, 5], 0.2);
        levels.Take(11).ShouldBeNull();
        levels.Take(9.9).ShouldBe(1);
        levels.Take(11.9).ShouldBeNull();
        levels.Take(4).ShouldBe(2);
        levels.Take(5.5).ShouldBeNull();
        levels.Take(6.5).ShouldBe(1);
        levels.Take(12).ShouldBe(0);
    }

    private DiskWatch Watch() => new(
        _ => Task.FromResult<IReadOnlyList<DiskSpace>>([.. _disks.Values]), _published.Add, (name, message, subject) =>
        {
            message.ShouldContain("MiB of");
            _events.Add((name, subject));
        });

    private Task LookAsync(DiskWatch watch, string where, long free)
    {
        _disks[where] = _disks[where] with { FreeBytes = free };
        return watch.LookAsync(TestContext.Current.CancellationToken);
    }
}

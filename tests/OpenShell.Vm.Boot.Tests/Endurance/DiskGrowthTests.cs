namespace OpenShell.Vm.Boot.Tests.Endurance;

/// <summary>Whether the bound of <see cref="StopAndUpTests"/> finds what it is there for, and nothing else.</summary>
public sealed class DiskGrowthTests
{
    private const long Mib = 1 << 20;

    private static readonly DiskContent First = new(700 * Mib, 600 * Mib, 130 * Mib, 5 * Mib, Mib, 300 * Mib);

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(100)]
    public void The_users_own_files_are_no_growth(int cycles) => Excess(cycles, _ => new Taken()).ShouldBeEmpty();

    [Theory]
    [InlineData(5)]
    [InlineData(20)]
    public void Logs_history_and_the_file_systems_journal_may_grow_a_little_with_each_start(int cycles) =>
        Excess(cycles, cycle => new Taken(Rest: Mib / 2 * cycle, Logs: 2 * Mib * cycle, Database: 3 * Mib * cycle, Journal: 6 * Mib * cycle)).ShouldBeEmpty();

    [Fact]
    public void Another_segment_of_the_databases_log_is_made_at_once() =>
        Excess(20, cycle => new Taken(Database: (cycle < 12 ? 0 : 64 * Mib) + (2 * Mib * cycle))).ShouldBeEmpty();

    [Fact]
    public void However_long_it_goes_on_what_comes_to_rest_is_accepted() =>
        Excess(500, cycle => new Taken(DiskGrowth.Rest - (DiskGrowth.Rest / cycle), DiskGrowth.Logs - (DiskGrowth.Logs / cycle), DiskGrowth.Database - (DiskGrowth.Database / cycle), DiskGrowth.Journal - (DiskGrowth.Journal / cycle))).ShouldBeEmpty();

    [Theory]
    [InlineData(5, 5)]
    [InlineData(20, 1)]
    [InlineData(100, 0.25)]
    public void A_little_that_is_left_of_each_start_is_found_where_nothing_should_be_left(int cycles, double mib) =>
        Excess(cycles, cycle => new Taken(Rest: (long)(mib * Mib * cycle))).ShouldHaveSingleItem().ShouldStartWith("all that is neither the database's");

    [Theory]
    [InlineData(20, 4)]
    [InlineData(100, 1)]
    public void A_log_that_is_never_cut_is_found(int cycles, long mib) =>
        Excess(cycles, cycle => new Taken(Logs: mib * Mib * cycle)).ShouldHaveSingleItem().ShouldStartWith("logs");

    [Theory]
    [InlineData(20, 7)]
    [InlineData(100, 2)]
    public void A_database_that_is_never_compacted_is_found(int cycles, long mib) =>
        Excess(cycles, cycle => new Taken(Database: mib * Mib * cycle)).ShouldHaveSingleItem().ShouldStartWith("the database");

    [Fact]
    public void Blocks_that_no_file_owns_are_found_on_the_disk_and_on_the_host() =>
        Excess(20, cycle => new Taken(Nameless: 20 * Mib * cycle)).Select(line => line.Split(':')[0]).ShouldBe(["what is in use on the disk", "what the disk takes on the host"]);

    [Fact]
    public void What_is_freed_and_taken_again_elsewhere_is_found_on_the_host() =>
        Excess(20, cycle => new Taken(Journal: 20 * Mib * cycle)).ShouldHaveSingleItem().ShouldBe("what the disk takes on the host: 380.0 MiB more after 19 further starts, 336.0 MiB are allowed");

    [Fact]
    public void In_a_short_run_less_is_allowed() =>
        Excess(5, cycle => new Taken(Database: 25 * Mib * cycle)).ShouldContain("the database: 100.0 MiB more after 4 further starts, 96.0 MiB are allowed");

    /// <summary>Grown so much by a cycle, beside the file of 1 MiB that each writes. What the first two starts made does not count.</summary>
    private sealed record Taken(long Rest = 0, long Logs = 0, long Database = 0, long Journal = 0, long Nameless = 0);

    private static IReadOnlyList<string> Excess(int cycles, Func<int, Taken> takenBy) => DiskGrowth.Excess(
    [
        First,
        .. Enumerable.Range(1, cycles).Select(cycle =>
        {
            var (taken, files) = (takenBy(cycle), Mib * cycle);
            var used = files + taken.Rest + taken.Logs + taken.Database + taken.Nameless;
            return new DiskContent(
                First.Allocated + (500 * Mib) + used + taken.Journal, First.Used + (200 * Mib) + used,
                First.Database + (64 * Mib) + taken.Database, First.Logs + taken.Logs, First.Volumes + files, First.Rest + (100 * Mib) + taken.Rest);
        }),
    ]);
}

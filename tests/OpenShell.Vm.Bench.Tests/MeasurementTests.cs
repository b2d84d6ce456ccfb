using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Tests;

public sealed class MeasurementTests
{
    [Theory]
    [InlineData(50, 5)]
    [InlineData(90, 9)]
    [InlineData(99, 10)]
    [InlineData(0, 1)]
    [InlineData(100, 10)]
    public void A_percentile_is_a_sample_that_so_many_are_not_above(double percent, double expected)
    {
        var m = new Measurement { What = "any", Samples = [3, 1, 2, 10, 9, 8, 7, 6, 5, 4] };

        m.Percentile(percent).ShouldBe(expected);
    }

    [Fact]
    public void Of_one_sample_everything_is_that_one()
    {
        var m = new Measurement { What = "any", Samples = [7] };

        (m.Best, m.Median, m.P90, m.P99, m.Worst).ShouldBe((7.0, 7.0, 7.0, 7.0, 7.0));
    }

    [Fact]
    public void Each_stands_beside_its_peer_or_says_that_it_has_none()
    {
        var peer = new Measurement { What = "peer", Samples = [2] };
        var ours = new Measurement { What = "ours", Samples = [3], Baseline = "peer" };
        var further = new Measurement { What = "further", Samples = [8], Baseline = "peer" };
        var alone = new Measurement { What = "alone", Samples = [4] };
        Measurement[] all = [peer, ours, further, alone];

        Figures.Peer(ours, all).ShouldBe("1.50x of 'peer'");
        Figures.Peer(alone, all).ShouldBe("none");
        Figures.Peer(peer, all).ShouldBe("0.67x of 'ours'");
        Figures.Peer(peer with { Samples = [0.01] }, all).ShouldBe("0.0033x of 'ours'");
        Figures.Peer(ours with { RatioBudget = 1.2 }, all).ShouldBe("1.50x of 'peer', OVER 1.20x");
        Figures.Peer(ours with { RatioBudget = 1.6 }, all).ShouldBe("1.50x of 'peer', within 1.60x");
    }

    [Fact]
    public void What_was_not_measured_says_why_and_is_nobodys_peer()
    {
        var peer = new Measurement { What = "peer", Samples = [], Missing = "it is not there" };
        var ours = new Measurement { What = "ours", Samples = [3], Baseline = "peer", Budget = 4 };
        var missing = new Measurement { What = "missing", Samples = [], Missing = "nor is this", Baseline = "ours", Budget = 1 };
        Measurement[] all = [peer, ours, missing];

        Figures.Peer(peer, all).ShouldBe("not measured: it is not there");
        Figures.Peer(ours, all).ShouldBe("none");
        Figures.Budget(missing).ShouldBe("");
        missing.Median.ShouldBeNull();
        Figures.Show(Unit.Seconds, missing.Median).ShouldBe("-");
    }

    [Fact]
    public void A_row_of_another_benchmark_is_no_peer_though_it_has_the_name_of_one()
    {
        var ours = new Measurement { Benchmark = "resume", What = "ours", Samples = [3], Baseline = "peer" };
        var peer = new Measurement { Benchmark = "clone", What = "peer", Samples = [2] };

        Figures.Peer(ours, [peer, ours]).ShouldBe("none");
        Figures.Peer(peer, [peer, ours]).ShouldBe("none");
    }

    [Fact]
    public void A_budget_is_about_the_statistic_that_counts()
    {
        var m = new Measurement { What = "any", Samples = [1, 1, 5], Budget = 2 };

        Figures.Budget(m).ShouldBe("within 2.00 s (0.50x)");
        Figures.Budget(m with { Judged = Statistic.Worst }).ShouldBe("OVER 2.00 s (2.50x)");
        Figures.Budget(m with { Budget = null }).ShouldBe("");
    }

    [Theory]
    [InlineData(nameof(Unit.Seconds), 0.0000351, "35.1 µs")]
    [InlineData(nameof(Unit.Seconds), 0.0123, "12.3 ms")]
    [InlineData(nameof(Unit.Seconds), 12.345, "12.35 s")]
    [InlineData(nameof(Unit.Mebibytes), 12.34, "12.3 MiB")]
    [InlineData(nameof(Unit.Throughput), 12.34, "12.3 MiB/s")]
    [InlineData(nameof(Unit.PerSecond), 12.34, "12.3 /s")]
    [InlineData(nameof(Unit.Instructions), 1.5e9, "1.500 G")]
    public void Figures_have_their_unit(string unit, double value, string expected) => Figures.Show(Enum.Parse<Unit>(unit), value).ShouldBe(expected);
}

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Something that was measured, as often as it was.</summary>
internal sealed record Measurement
{
    /// <summary>What, for a person.</summary>
    public required string What { get; init; }

    /// <summary>The benchmark that it is of; filled in by whoever ran that.</summary>
    public string Benchmark { get; init; } = "";

    /// <summary>Every sample, in the unit, in the order in which they were taken; none where <see cref="Missing"/> says why.</summary>
    public required IReadOnlyList<double> Samples { get; init; }

    /// <summary>Why it was not measured, and what would change that.</summary>
    public string? Missing { get; init; }

    /// <summary>What the samples are.</summary>
    public Unit Unit { get; init; } = Unit.Seconds;

    /// <summary>Which of the statistics <see cref="Budget"/> is about.</summary>
    public Statistic Judged { get; init; } = Statistic.Median;

    /// <summary>What it may take, in the unit, on the machine that this project is developed on.</summary>
    public double? Budget { get; init; }

    /// <summary>The measurement that it is to be compared with, by its <see cref="What"/>.</summary>
    public string? Baseline { get; init; }

    /// <summary>What its median may be of the median of <see cref="Baseline"/>, on any machine.</summary>
    public double? RatioBudget { get; init; }

    public double? Best => Of(0);

    public double? Worst => Of(100);

    public double? Median => Of(50);

    public double? P90 => Of(90);

    public double? P99 => Of(99);

    /// <summary>The statistic that counts.</summary>
    public double? Result => Judged == Statistic.Median ? Median : Worst;

    /// <summary>The smallest sample that at least <paramref name="percent"/> of 100 are not above (nearest rank).</summary>
    public double Percentile(double percent)
    {
        var sorted = Samples.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    private double? Of(double percent) => Samples.Count > 0 ? Percentile(percent) : null;
}

/// <summary>What of many samples a budget is about.</summary>
internal enum Statistic
{
    Median,
    Worst,
}

/// <summary>Units of samples.</summary>
internal enum Unit
{
    Seconds,
    Instructions,
    Mebibytes,

    /// <summary>Mebibytes a second: more is better.</summary>
    Throughput,

    /// <summary>So many a second: more is better.</summary>
    PerSecond,
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>The stages of one start.</summary>
/// <param name="Title">What kind of start, for a person.</param>
/// <param name="Stages">Those that took place.</param>
internal sealed record BootTimeline(string Title, IReadOnlyList<BootTimeline.Stage> Stages)
{
    /// <summary>One stage.</summary>
    /// <param name="Name">A name of <see cref="BootStages"/>, or a part of one (<c>services/etcd</c>).</param>
    /// <param name="Start">When it began, in seconds since the start's.</param>
    /// <param name="Seconds">How long it took.</param>
    public sealed record Stage(string Name, double Start, double Seconds)
    {
        public bool IsPart => Name.Contains('/', StringComparison.Ordinal);
    }

    /// <summary>When the last of them had ended.</summary>
    public double Total => Stages.Select(stage => stage.Start + stage.Seconds).Append(0).Max();

    /// <summary>Of an instance's <c>timeline.jsonl</c>.</summary>
    public static BootTimeline Read(string title, string path) => Of(title, TimelineFile.Read(path));

    /// <summary>Of events; stages that were skipped, or never ended, are left out.</summary>
    public static BootTimeline Of(string title, IEnumerable<TimelineEvent> events)
    {
        var table = new StageTable();
        foreach (var happened in events)
            table.Add(happened);
        return new BootTimeline(title, [.. table.Rows.Where(row => row is { State: StageState.Completed, Duration: not null }).Select(ToStage)]);
    }

    private static Stage ToStage(StageTime row) => new(row.Stage, row.Start.TotalSeconds, row.Duration!.Value.TotalSeconds);
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Timeline;

/// <summary>Folds events into the table of stages that status and the command show. Pure: same events, same table.</summary>
public sealed class StageTable
{
    private readonly Dictionary<string, StageTime> _rows = [];

    /// <summary>The stages seen so far, in the order of <see cref="BootStages.All"/>; a stage's parts (<c>services/etcd</c>) follow it in the order in which they began.</summary>
    public IReadOnlyList<StageTime> Rows =>
    [
        .. _rows.Values
            .OrderBy(row => Order(row.Stage))
            .ThenBy(row => row.Stage.Contains('/', StringComparison.Ordinal))
            .ThenBy(row => row.Start),
    ];

    /// <summary>The stage that is under way and began last; <see langword="null"/>: none.</summary>
    public StageTime? Current => _rows.Values.Where(row => row.State == StageState.Started).MaxBy(row => row.Start);

    /// <summary>Takes one event into account.</summary>
    public void Add(TimelineEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var known = _rows.GetValueOrDefault(happened.Stage);

        // A stage may be reported more than once as started (progress): it began the first time. One that was to be skipped and comes after all begins then.
        var start = known is null or { State: StageState.Skipped } ? happened.Elapsed : known.Start;
        _rows[happened.Stage] = new StageTime(
            happened.Stage,
            start,
            happened.State == StageState.Started ? null : Positive(happened.Elapsed - start),
            happened.State,
            // What was waited for is of no interest once it has come.
            happened.Detail ?? (happened.State == StageState.Completed ? null : known?.Detail));
    }

    /// <summary>A stage comes again, as if it never had: of a machine that another one takes the place of.</summary>
    internal void Remove(string stage) => _rows.Remove(stage);

    private static int Order(string stage)
    {
        var name = stage.Split('/', 2)[0];
        for (var i = 0; i < BootStages.All.Count; i++)
        {
            if (BootStages.All[i] == name)
                return i;
        }

        return int.MaxValue;
    }

    // Guest times come through an estimate of the two clocks' distance, which may be off by a millisecond.
    private static TimeSpan Positive(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;
}

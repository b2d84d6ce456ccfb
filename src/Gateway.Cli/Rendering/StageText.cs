using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>The table of stages and times.</summary>
internal static class StageText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, IEnumerable<StageTime> stages)
    {
        var table = new TextTable("STAGE", "BEGAN", "TOOK", "STATE", "DETAIL");
        foreach (var stage in stages)
        {
            var indent = stage.Stage.Contains('/', StringComparison.Ordinal) ? "  " : "";
            table.Add(
                indent + stage.Stage[(stage.Stage.LastIndexOf('/') + 1)..],
                Units.Time(stage.Start),
                stage.Duration is { } took ? Units.Time(took) : "-",
                State(stage.State),
                stage.Detail);
        }

        table.Write(writer);
    }

    /// <summary>A state as it is written everywhere.</summary>
    public static string State(StageState state) => state switch
    {
        StageState.Started => "running",
        StageState.Completed => "done",
        StageState.Skipped => "skipped",
        _ => "failed",
    };
}

using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guests;

/// <summary>
/// Which reports of a guest are taken, and as what: they go into the timeline, the status and onto terminals, so a guest must neither drive a terminal with them nor fill the host's memory. One for each connection.
/// </summary>
internal sealed class ReportRules
{
    /// <summary>A boot has some thirty, parts included.</summary>
    internal const int MostStages = 256;

    /// <summary>Characters of a stage's name, a service's included.</summary>
    internal const int LongestStage = 128;

    /// <summary>Characters of a text. A sentence for a person; faults that list what is missing have some hundreds.</summary>
    internal const int LongestText = 4096;

    private readonly HashSet<string> _stages = new(StringComparer.Ordinal);

    /// <summary>The report as it may be shown; <see langword="null"/>: it is none that a guest of this project would make.</summary>
    internal StageReport? Accept(StageReport report)
    {
        if (!IsStage(report.Stage) || !Enum.IsDefined(report.State) || report.UptimeNanoseconds < 0)
            return null;
        if (!_stages.Contains(report.Stage) && (_stages.Count >= MostStages || !_stages.Add(report.Stage)))
            return null;
        return report with
        {
            Detail = report.Detail is null ? null : Text(report.Detail),
            Fault = report.Fault is { } fault ? new GuestFault(Text(fault.Code), Text(fault.What), Text(fault.Remedy)) : null,
        };
    }

    private static bool IsStage(string stage) => stage.Length is > 0 and <= LongestStage && stage.All(c => c is > ' ' and < (char)127);

    private static string Text(string text) => GuestFaults.Clean(text.Length <= LongestText ? text : text[..LongestText] + "...");
}

using System.Text.RegularExpressions;

namespace OpenShell.Vm.Supervision;

/// <summary>What the guest's first process writes to its console for the host to find.</summary>
internal static partial class GuestConsole
{
    /// <summary>Why it gave up, and powered the machine off; <see langword="null"/>: it did not.</summary>
    /// <param name="lines">The console's last lines.</param>
    internal static (string Code, string What)? GaveUp(IEnumerable<string> lines) =>
        lines.Select(line => Line().Match(line)).LastOrDefault(match => match.Success) is { } match ? (match.Groups["code"].Value, match.Groups["what"].Value) : null;

    // OpenShell.Vm.Guest, LastResort. A stage that failed is told as 'FAULT code in stage: ...', and is not the end.
    [GeneratedRegex(@"^\[ *[0-9]+\.[0-9]+\] openshell-init: FAULT (?<code>[a-z0-9.-]+): (?<what>.+)$")]
    private static partial Regex Line();
}

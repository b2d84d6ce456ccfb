using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>-p [ADDRESS:]HOST:GUEST[/udp]</c>, <c>-p PATH:GUEST</c>.</summary>
internal static class PortForwardParser
{
    /// <summary>Reads every forward; adds a fault for each that is wrong, and for each that asks for a host port a second time.</summary>
    public static IReadOnlyList<PortForward> ParseAll(IEnumerable<string> texts, ICollection<Fault> faults)
    {
        var forwards = new List<PortForward>();
        foreach (var text in texts)
        {
            if (Parse("-p", text, faults) is not { } forward)
                continue;
            if (forwards.Any(f => f.ClashesWith(forward)))
                faults.Add(ValueFaults.Make("-p", text, $"{(forward.HostSocket is null ? $"host port {forward.HostPort}" : "that socket")} is already forwarded by another -p", "Give each host port once, or 0 for a free one."));
            else
                forwards.Add(forward);
        }

        return forwards;
    }

    /// <summary>Reads one.</summary>
    /// <param name="option">What it was given to.</param>
    /// <param name="text">What was given.</param>
    /// <param name="faults">Takes what is wrong with it.</param>
    public static PortForward? Parse(string option, string text, ICollection<Fault> faults)
    {
        if (PortForwardText.Parse(text, out var problem) is { } forward)
            return forward;
        faults.Add(ValueFaults.Make(option, text, problem, PortForwardText.FormOf(option == "-p" ? option : "")));
        return null;
    }
}

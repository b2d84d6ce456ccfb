using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>--env KEY=VALUE</c>.</summary>
internal static class EnvironmentParser
{
    /// <summary>The variables as given; a fault for each that is none.</summary>
    public static IReadOnlyList<string> ParseAll(IEnumerable<string> texts, ICollection<Fault> faults)
    {
        var variables = new List<string>();
        foreach (var text in texts)
        {
            if (text.IndexOf('=', StringComparison.Ordinal) > 0)
                variables.Add(text);
            else
                faults.Add(ValueFaults.Make("--env", text, "it has no name and value", "Write --env KEY=VALUE; an empty value is --env KEY=."));
        }

        return variables;
    }
}

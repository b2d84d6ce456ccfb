using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary>Faults about the value of an option.</summary>
internal static class ValueFaults
{
    private const int Shown = 60;

    /// <summary>Names the option, the value and the problem.</summary>
    public static Fault Make(string option, string value, string problem, string remedy) => new()
    {
        Code = "cli.bad-value",
        What = $"{option} '{Printable(value)}': {problem}.",
        Remedy = remedy,
        IsUsage = true,
    };

    // Whatever was typed must not reach the terminal as control codes, nor fill it.
    public static string Printable(string text) =>
        string.Concat((text.Length > Shown ? text[..(Shown - 3)] + "..." : text).Select(c => char.IsControl(c) ? '?' : c));
}

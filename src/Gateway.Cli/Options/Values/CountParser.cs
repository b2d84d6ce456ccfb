using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary>A whole number, such as <c>--vcpus 2</c>.</summary>
internal static class CountParser
{
    /// <summary>The number; a fault if it is none. Whether it is a sensible one, the library says.</summary>
    public static int? Parse(string option, string text, string example, ICollection<Fault> faults)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        faults.Add(ValueFaults.Make(option, text, "it is not a whole number", $"Write a number, such as {option} {example}."));
        return null;
    }
}

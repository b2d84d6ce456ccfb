using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary>A number of bytes: <c>512m</c>, <c>20g</c>, <c>1t</c>, or bytes without a unit.</summary>
internal static class ByteSizeParser
{
    public static long? Parse(string option, string text, ICollection<Fault> faults)
    {
        const string Units = "kmgt";
        var unit = text.Length > 1 ? Units.IndexOf(char.ToLowerInvariant(text[^1]), StringComparison.Ordinal) : -1;
        var shift = 10 * (unit + 1);
        if (long.TryParse(unit < 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> shift)
            return number << shift;
        faults.Add(ValueFaults.Make(option, text, "it is not a size", $"Write {option} 512m, 20g or 1t."));
        return null;
    }
}

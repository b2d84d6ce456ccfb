using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>90|90s|5m|1h</c>.</summary>
internal static class DurationParser
{
    // Longer than any start; and far from what timers refuse.
    private const long MostSeconds = 24 * 60 * 60;

    /// <summary>The time; a fault if it is none.</summary>
    public static TimeSpan? Parse(string option, string text, ICollection<Fault> faults)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        int? factor = text[digits..] switch
        {
            "" or "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => null,
        };
        if (factor is { } f && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && (long)number * f <= MostSeconds)
            return TimeSpan.FromSeconds((long)number * f);
        faults.Add(ValueFaults.Make(option, text, "it is not a time from 1s to 24h", $"Write seconds as a number, or with a unit: {option} 300, {option} 300s or {option} 5m."));
        return null;
    }
}

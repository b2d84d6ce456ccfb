using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary>The size of a disk: <c>40</c>, <c>40g</c>, <c>1t</c>.</summary>
internal static class GibibytesParser
{
    /// <summary>Gibibytes; a fault if it is no size. Whether it is a sensible one, the library says.</summary>
    public static int? Parse(string option, string text, ICollection<Fault> faults)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        int? factor = text[digits..].ToLowerInvariant() switch
        {
            "" or "g" or "gb" or "gib" => 1,
            "t" or "tb" or "tib" => 1024,
            _ => null,
        };
        if (factor is { } f && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && (long)number * f <= int.MaxValue)
            return number * f;
        faults.Add(ValueFaults.Make(option, text, "it is not a size", "Write GiB as a number, or with a unit: 40, 40g or 1t."));
        return null;
    }
}

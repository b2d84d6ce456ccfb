using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>--mem MIB|4g|512m</c>.</summary>
internal static class MemorySizeParser
{
    /// <summary>Mebibytes; a fault if it is no size. Whether it is a sensible one, the library says.</summary>
    public static int? Parse(string text, ICollection<Fault> faults)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        long? factor = text[digits..].ToLowerInvariant() switch
        {
            "" or "m" or "mb" or "mib" => 1,
            "g" or "gb" or "gib" => 1024,
            _ => null,
        };
        if (factor is { } f && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number * f <= int.MaxValue)
            return (int)(number * f);
        faults.Add(ValueFaults.Make("--mem", text, "it is not a size", "Write MiB as a number, or with a unit: --mem 4096, --mem 512m or --mem 4g."));
        return null;
    }
}

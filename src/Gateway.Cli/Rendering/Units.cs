using System.Globalization;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>Quantities as people read them.</summary>
internal static class Units
{
    /// <summary>0.26 s, 3.2 s, 1 min 05 s, 2 h 03 min.</summary>
    public static string Time(TimeSpan time)
    {
        if (time.TotalSeconds < 59.95)
            return time.TotalSeconds.ToString(time.TotalSeconds < 0.995 ? "0.00 's'" : "0.0 's'", CultureInfo.InvariantCulture);
        var seconds = (long)Math.Round(time.TotalSeconds);
        return seconds < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min {seconds % 60:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600} h {seconds / 60 % 60:00} min");
    }

    /// <summary>Seconds to the millisecond, for JSON.</summary>
    public static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    /// <summary>512 B, 3.4 MB, 1.20 GB: powers of 1000, as disks are sold and <c>ls --si</c> shows.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };

    /// <summary>37 %.</summary>
    public static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(share, 0, 1) * 100:0} %");
}

using Spectre.Console;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>Chooses the display that suits where stderr goes.</summary>
internal static class ProgressDisplays
{
    // The C library's own order of precedence: https://man7.org/linux/man-pages/man3/setlocale.3.html.
    private static readonly string[] LocaleVariables = ["LC_ALL", "LC_CTYPE", "LANG"];

    /// <summary>Opens the display on stderr; stdout stays free for what was asked for.</summary>
    public static IProgressDisplay Open(CommandContext context)
    {
        var host = context.Host;
        if (context.Quiet)
            return new SilentDisplay();
        return host.ErrorIsRich
            ? new LiveDisplay(ErrorConsole.Create(host), host.Time, Unicode(host))
            : new PlainDisplay(host.Error, host.Time, context.Verbose);
    }

    private static bool Unicode(CliHost host) =>
        LocaleVariables.Select(host.Variable).FirstOrDefault(v => v is { Length: > 0 }) is { } locale
        && locale.Replace("-", "", StringComparison.Ordinal).Contains("utf8", StringComparison.OrdinalIgnoreCase);
}

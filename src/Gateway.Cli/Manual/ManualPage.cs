using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;

namespace OpenShell.Gateway.Cli.Manual;

/// <summary>The manual page, made of the commands and options that <c>--help</c> shows. Pure.</summary>
internal static class ManualPage
{
    /// <summary>All of it, as man(7).</summary>
    public static string Of(Command root, string version, DateTime made)
    {
        var page = new Roff();

        // The date as it is: mandoc reads no escapes in it.
        page.Markup($".TH \"GATEWAY\" \"1\" \"{made.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}\" \"gateway {Roff.Escape(version)}\" \"OpenShell VM\"");
        page.Request("SH", "NAME").Markup("gateway \\- a single\\-node Kubernetes cluster with the OpenShell gateway, in a microVM");
        page.Request("SH", "SYNOPSIS");
        page.Markup(".B gateway").Markup("[\\fIOPTION\\fR ...]");
        page.Markup(".br").Markup(".B gateway").Markup("\\fICOMMAND\\fR [\\fIOPTION\\fR ...] [\\fIARGUMENT\\fR ...]");
        page.Request("SH", "DESCRIPTION").Text(root.Description ?? "");
        page.Request("SH", "OPTIONS").Text("Without a command:");
        Options(page, root);
        page.Request("SH", "COMMANDS");
        foreach (var command in root.Subcommands.Where(c => !c.Hidden))
            Commands(page, command, "gateway");
        page.Request("SH", "EXIT STATUS");
        foreach (var (code, what) in Codes)
            Item(page, $"\\fB{code}\\fR", what);
        page.Request("SH", "ENVIRONMENT");
        foreach (var (name, what) in Variables)
            Item(page, $"\\fB{Roff.Escape(name)}\\fR", what);
        page.Request("SH", "FILES");
        foreach (var (name, what) in Files)
            Item(page, $"\\fI{Roff.Escape(name)}\\fR", what);
        page.Request("SH", "EXAMPLES");
        foreach (var (line, what) in Examples)
            Item(page, $"\\fB{Roff.Escape(line)}\\fR", what);
        page.Request("SH", "SEE ALSO").Markup(".BR kubectl (1),").Markup(".BR qemu\\-system\\-x86_64 (1)");
        return page.ToString();
    }

    private static (string Code, string What)[] Codes { get; } =
    [
        ("0", "Done."),
        ("1", "It failed; stderr says what, and what to do."),
        ("2", "The command line was wrong; nothing was changed."),
        ("125, 126, 127", "Of a program in a guest: it was lost, could not be run, was not found."),
        ("128 + n", "Ended by signal n; otherwise a program's own exit code."),
    ];

    private static (string Name, string What)[] Variables { get; } =
    [
        ("XDG_DATA_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR", "Where instances, images, certificates and sockets are."),
        ("http_proxy, https_proxy, no_proxy", "The proxies that images are fetched through, and that the guest is told of."),
        ("KUBECONFIG", "The kubeconfig that 'kubeconfig --merge' changes."),
        ("NO_COLOR", "No colours."),
        ("OPENSHELL_VM_DEBUG", "1 is as --verbose."),
    ];

    private static (string Name, string What)[] Files { get; } =
    [
        ("~/.kube/gateway.yaml, ~/.kube/gateway-NAME.yaml", "The kubeconfig of an instance."),
        ("~/.local/share/openshell-vm/instances/NAME/", "Its configuration, disk, logs, events and timeline."),
        ("~/.cache/openshell-vm/", "The image cache."),
        ("~/.config/openshell/", "What OpenShell's clients read."),
    ];

    private static (string Line, string What)[] Examples { get; } =
    [
        ("gateway up --detach", "Start a cluster, and come back when it is ready."),
        ("gateway exec -- uname -a", "Run a program in it."),
        ("gateway --exec /bin/true", "Run a program in a machine of its own."),
        ("gateway doctor --fix", "See what this machine lacks, and mend what can be mended."),
        ("gateway support-bundle", "Put into one file what somebody needs who is to help."),
    ];

    private static void Commands(Roff page, Command command, string before)
    {
        var path = $"{before} {command.Name}";
        page.Request("SS", string.Join(' ', [path, .. command.Arguments.Select(Shown)])).Text(command.Description ?? "");
        foreach (var argument in command.Arguments.Where(a => a.Description is not null))
            Item(page, $"\\fI{Roff.Escape(Shown(argument))}\\fR", argument.Description!);
        Options(page, command);
        foreach (var inner in command.Subcommands.Where(c => !c.Hidden))
            Commands(page, inner, path);
    }

    private static void Options(Roff page, Command command)
    {
        // What every command has is told once.
        foreach (var option in command.Options.Where(o => !o.Hidden && (command is RootCommand || o is not HelpOption)))
        {
            var names = string.Join(", ", option.Aliases.Where(a => a.StartsWith('-')).OrderBy(a => a.Length).Append(option.Name).Distinct().Select(n => $"\\fB{Roff.Escape(n)}\\fR"));
            Item(page, Completing.Completer.TakesValue(option) ? $"{names} \\fI{Roff.Escape(option.HelpName ?? "VALUE")}\\fR" : names, option.Description ?? "");
        }
    }

    private static void Item(Roff page, string term, string text) => page.Markup(".TP").Markup(term).Text(text);

    private static string Shown(Argument argument) => argument.HelpName ?? argument.Name.ToUpperInvariant();
}

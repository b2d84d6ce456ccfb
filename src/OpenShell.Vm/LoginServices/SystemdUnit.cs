using System.Buffers;
using System.Globalization;
using System.Text;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.LoginServices;

/// <summary>A unit of the user's service manager (https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html). Pure.</summary>
internal static class SystemdUnit
{
    private const string Target = "default.target";

    internal static string NameOf(string instance) => $"openshell-vm-{instance}.service";

    /// <summary>The unit's text.</summary>
    internal static string Text(ServiceDescription service)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # {ServiceDescription.Mark}
            {OwnerLine(service.Folder)}
            [Unit]
            Description=OpenShell gateway '{service.Instance}' in a microVM
            # A start that fails again and again has a cause that waiting does not mend: 'gateway status' says which.
            StartLimitIntervalSec=1800
            StartLimitBurst=5

            [Service]
            Type=exec
            ExecStart={CommandLine(service.Command)}

            """);
        foreach (var (name, value) in service.Environment)
            text.Append(CultureInfo.InvariantCulture, $"Environment={Quoted($"{name}={value}")}\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            # SIGTERM goes to the supervisor alone, which shuts the machine down in order; what is left after that is killed.
            KillMode=mixed
            TimeoutStopSec={ServiceDescription.StopSeconds}
            # {LocalInstances.NotOurs}: the instance runs already, started by hand.
            SuccessExitStatus={LocalInstances.NotOurs}
            RestartPreventExitStatus={LocalInstances.NotOurs}
            Restart=on-failure
            RestartSec=10

            [Install]
            WantedBy={Target}

            """);
        return text.ToString();
    }

    /// <summary>The link by which a unit is enabled: what <c>systemctl --user enable</c> makes of WantedBy.</summary>
    internal static string WantsLink(string folder, string instance) => Path.Combine(folder, Target + ".wants", NameOf(instance));

    /// <summary>Says whose the unit is.</summary>
    internal static string OwnerLine(string folder) => "# Of " + folder;

    /// <summary>What the path of a program may not have in it, however it is written: the unit would be refused as a whole.</summary>
    internal static SearchValues<char> NotInPrograms { get; } = SearchValues.Create("\"'\\");

    // In arguments $ begins a variable unless doubled. In the path of the program none is replaced, and a doubled one would be two.
    private static string CommandLine(IReadOnlyList<string> command) =>
        string.Join(' ', [Quoted(command[0]), .. command.Skip(1).Select(word => Quoted(word.Replace("$", "$$", StringComparison.Ordinal)))]);

    // In quotes, backslash and quote escape; % begins a specifier unless doubled.
    private static string Quoted(string word)
    {
        var escaped = word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);
        return escaped.Any(c => !char.IsAsciiLetterOrDigit(c) && !"-_./:=%$".Contains(c, StringComparison.Ordinal)) ? $"\"{escaped}\"" : escaped;
    }
}

using OpenShell.Vm.Images.Building;

namespace OpenShell.Vm.LoginServices;

/// <summary>An instance that is to be started when its user logs in.</summary>
public sealed record ServiceDescription
{
    /// <summary>The instance.</summary>
    public required string Instance { get; init; }

    /// <summary>Program and arguments that run its stored configuration until SIGTERM.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Variables that the command needs and that a login does not set.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; }

    /// <summary>The instance's folder: tells whose the service is, since instances of one name may be kept at several places.</summary>
    public required string Folder { get; init; }

    /// <summary>Where launchd writes what the command says; systemd has its journal.</summary>
    public string Log => LogIn(Folder);

    internal static string LogIn(string folder) => Path.Combine(folder, "service.log");

    /// <summary>The variables of this process that say where an instance is, and where the sources of its images are: a login may not set them. And what a supervisor asks of .NET's runtime.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> EnvironmentOf(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        string[] names = ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", SourceTree.Variable, "DOTNET_ROOT"];
        return [.. names.Where(name => variable(name) is { Length: > 0 }).Select(name => KeyValuePair.Create(name, variable(name)!)), .. Supervision.SupervisorSettings.All];
    }

    /// <summary>Longer than an orderly stop takes, in seconds: the service manager kills what is left after it.</summary>
    internal const int StopSeconds = 150;

    /// <summary>Begins every file that is written here: only such are removed again.</summary>
    internal const string Mark = "Written by 'gateway service install'; removed by 'gateway service remove'.";
}

namespace OpenShell.Vm.Instances;

/// <summary>The folders of the host that this program uses, by the XDG base directory specification (https://specifications.freedesktop.org/basedir-spec/).</summary>
public sealed record HostDirectories
{
    /// <summary>Instances: <c>$XDG_DATA_HOME/openshell-vm</c>.</summary>
    public required string Data { get; init; }

    /// <summary>Artifacts: <c>$XDG_CACHE_HOME/openshell-vm</c>.</summary>
    public required string Cache { get; init; }

    /// <summary>What OpenShell's clients read: <c>$XDG_CONFIG_HOME/openshell</c>.</summary>
    public required string OpenShellConfig { get; init; }

    /// <summary>
    /// Sockets: <c>$XDG_RUNTIME_DIR/openshell-vm</c>, or a private folder under the temporary directory where that is not set or is the folder of a login session: that one is removed with the user's last session
    /// (https://www.freedesktop.org/software/systemd/man/latest/pam_systemd.html), and instances run on. Short: socket paths are limited to 104 bytes on macOS, 108 on Linux.
    /// </summary>
    public required string Runtime { get; init; }

    /// <summary>kubectl's folder: <c>~/.kube</c>.</summary>
    public required string Kube { get; init; }

    /// <summary>By the process environment.</summary>
    public static HostDirectories FromEnvironment()
    {
        var home = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } set
            ? set
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new HostDirectories
        {
            Data = Path.Combine(Xdg("XDG_DATA_HOME", ".local/share"), "openshell-vm"),
            Cache = Path.Combine(Xdg("XDG_CACHE_HOME", ".cache"), "openshell-vm"),
            OpenShellConfig = Path.Combine(Xdg("XDG_CONFIG_HOME", ".config"), "openshell"),
            Runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Path.IsPathRooted(runtime) && !IsOfSession(runtime)
                ? Path.Combine(runtime, "openshell-vm")
                : Path.Combine(Path.GetTempPath(), "openshell-vm-" + Environment.UserName),
            Kube = Path.Combine(home, ".kube"),
        };

        // The specification: a relative path in one of these variables is to be ignored.
        string Xdg(string variable, string fallback) =>
            Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value && Path.IsPathRooted(value)
                ? value
                : Path.Combine(home, fallback);
    }

    internal static bool IsOfSession(string runtime) => runtime.StartsWith("/run/user/", StringComparison.Ordinal);
}

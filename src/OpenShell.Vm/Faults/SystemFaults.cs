namespace OpenShell.Vm.Faults;

/// <summary>Failures of the operating system that surface as exceptions of .NET, in the words of a fault.</summary>
public static class SystemFaults
{
    // errno values, which .NET hands on in IOException.HResult on Unix: https://man7.org/linux/man-pages/man3/errno.3.html.
    private const int AccessDenied = 13;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int OverQuota = 122;

    /// <summary>The fault that this exception amounts to (<c>host.no-space</c>, <c>host.no-access</c>); <see langword="null"/> if it is a defect of this program.</summary>
    public static Fault? Translate(Exception exception) => exception switch
    {
        IOException { HResult: NoSpace or OverQuota } => Make(
            "host.no-space", $"There is no space left: {exception.Message}", "Free some disk space ('gateway image prune' removes what no instance uses), then try again."),
        IOException { HResult: ReadOnlyFileSystem or AccessDenied } or UnauthorizedAccessException or DirectoryNotFoundException => Make(
            "host.no-access",
            $"A file or folder cannot be used: {exception.Message}",
            "Make that path one that this user can write to, or set HOME or the XDG_DATA_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME and XDG_RUNTIME_DIR variables to folders that are."),
        _ => null,
    };

    private static Fault Make(string code, string what, string remedy) => new() { Code = code, What = what, Remedy = remedy };
}

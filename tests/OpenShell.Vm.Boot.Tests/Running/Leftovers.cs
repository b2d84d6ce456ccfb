namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>Looks for everything that a machine could leave behind on the host.</summary>
internal static class Leftovers
{
    /// <summary>Processes with something of <paramref name="home"/> in their command line or open, sockets and mounts below it. Empty when all is clean.</summary>
    public static IReadOnlyList<string> Of(TestHome home) => [.. ProcessesOf(home), .. Sockets(home.Runtime), .. Mounts(home.Root)];

    /// <summary>Of those the processes.</summary>
    public static IReadOnlyList<string> ProcessesOf(TestHome home) => [.. Processes(home.Root)];

    private static IEnumerable<string> Processes(string root)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => Path.GetFileName(f).All(char.IsAsciiDigit) && Path.GetFileName(f) != $"{Environment.ProcessId}"))
        {
            string? found = null;
            try
            {
                var line = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
                if (line.Contains(root, StringComparison.Ordinal) || Open(folder).Any(file => file.StartsWith(root, StringComparison.Ordinal)))
                    found = $"process {Path.GetFileName(folder)}: {line}";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile, or is somebody else's.
            }
            if (found is not null)
                yield return found;
        }
    }

    private static IEnumerable<string> Open(string process) =>
        Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Select(fd => new FileInfo(fd).LinkTarget ?? "");

    // Whatever is below the run folder is a socket or the folder of one.
    private static IEnumerable<string> Sockets(string runtime) =>
        Directory.Exists(runtime) ? Directory.EnumerateFiles(runtime, "*", SearchOption.AllDirectories).Select(file => "file " + file) : [];

    private static IEnumerable<string> Mounts(string root) =>
        File.ReadLines("/proc/self/mounts").Where(line => line.Contains(root, StringComparison.Ordinal)).Select(line => "mount " + line);
}

using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>
/// Finds a program the way execvp(3) does, but in the PATH of the environment that the child will have, and telling "not found" from "not executable".
/// </summary>
internal static class ExecutableSearch
{
    /// <summary>Used when the environment names no PATH.</summary>
    public const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <exception cref="SpawnException">Not found (127), or found but not executable (126).</exception>
    public static string Resolve(SpawnSpec spec)
    {
        if (spec.Program.Length == 0)
            throw SpawnException.NotFound(spec.Program);
        if (spec.Program.Contains('/', StringComparison.Ordinal))
            return spec.Program;
        var path = spec.Environment.LastOrDefault(v => v.StartsWith("PATH=", StringComparison.Ordinal))?["PATH=".Length..] ?? DefaultPath;
        var denied = 0;
        foreach (var folder in path.Split(':'))
        {
            // An empty element means the working directory (execvp(3)).
            var candidate = Path.Combine(spec.WorkingDirectory, folder, spec.Program);
            if (!File.Exists(candidate))
                continue;
            if (Libc.access(candidate, Libc.X_OK) == 0)
                return candidate;
            denied = Marshal.GetLastPInvokeError();
        }
        throw denied == 0 ? SpawnException.NotFound(spec.Program) : SpawnException.NotExecutable(spec.Program, denied);
    }
}

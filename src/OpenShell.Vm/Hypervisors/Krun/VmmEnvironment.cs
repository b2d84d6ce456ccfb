namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>The whole environment of the process that becomes a machine: what .NET needs, and nothing that a guest could be given by mistake.</summary>
internal static class VmmEnvironment
{
    /// <summary>Where dyld looks last for a library that is asked for by its bare name, as libkrun asks for libkrunfw; only honoured when it is set as a program starts.</summary>
    private const string FallbackPath = "DYLD_FALLBACK_LIBRARY_PATH";

    // Where the .NET runtime is, and whether it must do without ICU; where libkrun's own libraries are, if not in the usual places.
    private static readonly string[] PassedOn = ["DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "LD_LIBRARY_PATH"];

    /// <summary>By this process's.</summary>
    /// <param name="firmware">Every libkrunfw that was found.</param>
    /// <param name="isMac">Whether this is macOS; on Linux a library that is loaded already is found by its own name.</param>
    internal static IReadOnlyDictionary<string, string> Current(IReadOnlyList<string> firmware, bool isMac)
    {
        var environment = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            // No thread of the runtime may have work left once libkrun has the process: none that recompiles, none that listens for debuggers.
            ["DOTNET_TieredCompilation"] = "0",
            ["DOTNET_EnableDiagnostics"] = "0",
        };
        foreach (var name in PassedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                environment[name] = value;
        }

        if (isMac)
        {
            var inherited = Environment.GetEnvironmentVariable(FallbackPath) is { Length: > 0 } set ? set.Split(':') : [];
            environment[FallbackPath] = string.Join(':', firmware.Select(file => Path.GetDirectoryName(file)!).Concat(inherited).Distinct());
        }

        return environment;
    }
}

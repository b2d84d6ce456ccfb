namespace OpenShell.Vm.Supervision;

/// <summary>
/// What a supervisor asks of .NET's runtime that only the environment can say (https://learn.microsoft.com/dotnet/core/runtime-config/). It waits most of its life, and is there for as long as its
/// instance: memory counts, speed hardly does.
/// </summary>
internal static class SupervisorSettings
{
    /// <summary>Names and values; numbers are hexadecimal.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> All { get; } =
    [
        // Each page of compiled code is otherwise mapped twice, and start takes a quarter longer; docs/threat-model.md says what that mapping is for.
        new("DOTNET_EnableWriteXorExecute", "0"),

        // 2 MiB of new objects, then they are looked at. The default is the size of the processor's cache, which may be 32.
        new("DOTNET_GCgen0size", "200000"),

        // What was compiled ahead of time stays as it is, and the rest is compiled once: nothing is counted and compiled again for a speed that nobody waits for.
        new("DOTNET_TieredCompilation", "0"),

        // glibc keeps a pool of memory for each thread that ever asked for some.
        new("MALLOC_ARENA_MAX", "1"),
    ];

    /// <summary>An environment with them; what the user set stays as it is.</summary>
    internal static Dictionary<string, string> Over(Dictionary<string, string> environment)
    {
        foreach (var (name, value) in All)
            environment.TryAdd(name, value);
        return environment;
    }
}

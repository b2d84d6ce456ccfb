namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>What the running kernel shows of itself.</summary>
internal sealed record KernelFacts
{
    /// <summary>File systems that can be mounted now.</summary>
    public required IReadOnlySet<string> FileSystems { get; init; }

    /// <summary>Controllers of the root control group.</summary>
    public required IReadOnlySet<string> Controllers { get; init; }

    /// <summary>Modules that are loaded or built in.</summary>
    public required IReadOnlySet<string> Modules { get; init; }

    /// <summary>Options that are built in, read of a kernel without modules, which has no list of them.</summary>
    public IReadOnlySet<string> BuiltIn { get; init; } = new HashSet<string>();

    /// <summary>Whether this kernel can load modules.</summary>
    public static bool HasModules => File.Exists("/proc/modules");

    /// <summary>Whether a path exists.</summary>
    public Func<string, bool> Exists { get; init; } = Path.Exists;

    /// <summary>Reads them.</summary>
    public static KernelFacts Read() => new()
    {
        FileSystems = Lines("/proc/filesystems").Select(l => l.Split('\t')[^1]).ToHashSet(),
        Controllers = Lines("/sys/fs/cgroup/cgroup.controllers").SelectMany(l => l.Split(' ')).ToHashSet(),
        // kernel/net/bridge/bridge.ko; a dash in a file's name is an underscore in the module's.
        Modules = Lines("/proc/modules").Select(l => l.Split(' ')[0])
            .Concat(Lines($"/lib/modules/{KernelConfig.Release}/modules.builtin").Select(l => Path.GetFileNameWithoutExtension(l).Replace('-', '_')))
            .ToHashSet(),
        BuiltIn = HasModules ? new HashSet<string>() : KernelConfig.Read()?.BuiltIn ?? new HashSet<string>(),
    };

    private static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}

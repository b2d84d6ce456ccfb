namespace OpenShell.Vm.Guest.Processes;

/// <summary>A process to start: pure data. The child gets exactly what is named here: no other descriptor, default signal handling, an empty signal mask.</summary>
public sealed record SpawnSpec
{
    /// <summary>A path (when it has a slash; a relative one is meant from <see cref="WorkingDirectory"/>), or a name searched in the PATH of <see cref="Environment"/>.</summary>
    public required string Program { get; init; }

    /// <summary>Arguments without argv[0], which is <see cref="Program"/>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The whole environment, <c>KEY=VALUE</c>; nothing is inherited.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Working directory.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Descriptor 0.</summary>
    public Stdio Stdin { get; init; } = Stdio.Null;

    /// <summary>Descriptor 1.</summary>
    public Stdio Stdout { get; init; } = Stdio.Null;

    /// <summary>Descriptor 2.</summary>
    public Stdio Stderr { get; init; } = Stdio.Null;

    /// <summary>
    /// Path of a terminal (<c>/dev/pts/3</c>) that becomes the child's controlling terminal and all three of its descriptors; needs <see cref="NewSession"/>.
    /// </summary>
    public string? Terminal { get; init; }

    /// <summary>Make the child the leader of a session (and so of a process group) of its own; else it leads a process group in this session.</summary>
    public bool NewSession { get; init; } = true;

    /// <summary>
    /// Folder of a cgroup (v2) to move the child into. It is moved right after its program was loaded, since <c>posix_spawn</c> can only start
    /// into a cgroup from glibc 2.39 on; what it forks within its first microseconds stays behind.
    /// </summary>
    public string? Cgroup { get; init; }
}

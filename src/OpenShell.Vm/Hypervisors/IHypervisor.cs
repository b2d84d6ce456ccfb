using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors;

/// <summary>Turns a plan into a process. Adding one is a file and a line in <c>HypervisorCatalog</c>.</summary>
public interface IHypervisor
{
    /// <summary>The name on the command line.</summary>
    string Name { get; }

    /// <summary>What this host lacks for it, before anything is changed. Pure.</summary>
    IReadOnlyList<Fault> Check(InstanceConfig config, HostFacts host);

    /// <summary>What would run. Pure: same plan, same answer; golden files test it.</summary>
    LaunchSpec Describe(BootPlan plan, HostFacts host);
}

/// <summary>A process to start: pure data.</summary>
public sealed record LaunchSpec
{
    /// <summary>What it is, for messages: <c>QEMU</c>, <c>gvproxy</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Absolute path of the program.</summary>
    public required string Program { get; init; }

    /// <summary>Arguments without argv[0].</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment; nothing is inherited.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>File that takes stdout and stderr.</summary>
    public required string LogFile { get; init; }

    /// <summary>What files of the host it is let to, where the kernel can tell it so; <see langword="null"/>: whatever its user may.</summary>
    public FileConfinement? Confinement { get; init; }

    /// <summary>Whether the kernel may give it memory in huge pages. Not for one that soon has to be there and touches a little of much: each is cleared as a whole first.</summary>
    public bool HugePages { get; init; } = true;
}

/// <summary>
/// The files of the host that a process is let to, and no others: for one that has no business with its user's files and listens to a guest. In force where the kernel has Landlock (Linux 5.13 and later, unless it is turned off).
/// Absolute paths; a folder stands for all below it, and what is not there is passed over.
/// </summary>
/// <param name="Readable">To be read and executed.</param>
/// <param name="Writable">Files to be read and written.</param>
/// <param name="SocketFolders">Where it may make and remove Unix sockets.</param>
public sealed record FileConfinement(IReadOnlyList<string> Readable, IReadOnlyList<string> Writable, IReadOnlyList<string> SocketFolders)
{
    /// <summary>The version of this system's Landlock; 0: it has none, and confines nothing.</summary>
    public static int SystemVersion => Interop.Landlock.Version;
}

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
}

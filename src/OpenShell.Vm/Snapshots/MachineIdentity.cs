using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Snapshots;

/// <summary>
/// What must be the same on both sides of a saved machine: another QEMU lays out its state differently, another argument is another machine, and the memory is full of what another image would not have.
/// Paths are not a part of it. Two are compared word by word, and what differs is told.
/// </summary>
public sealed record MachineIdentity
{
    /// <summary>Such as <c>QEMU 10.0.2</c>.</summary>
    public required string Hypervisor { get; init; }

    /// <summary>The SHA-256 of its program.</summary>
    public required string HypervisorSha256 { get; init; }

    /// <summary>How the guest's code is run: <c>tcg</c>, <c>kvm</c>, <c>hvf</c>.</summary>
    public required string Accelerator { get; init; }

    /// <summary>The processor that the guest sees: QEMU's own where it is emulated, else what identifies the host's.</summary>
    public required string Processor { get; init; }

    /// <summary>The machine as QEMU's arguments, with names in place of paths.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The content address of kernel, initramfs and root image (<see cref="Images.ImageSet.Key"/>).</summary>
    public required string Images { get; init; }

    /// <summary>Of a machine that is to be started.</summary>
    /// <param name="plan">Where its memory lies and what it goes on from is of no account.</param>
    /// <param name="host">What there is.</param>
    /// <param name="hypervisorSha256">Of QEMU's program.</param>
    /// <param name="images">The content address of what is booted.</param>
    internal static MachineIdentity Of(BootPlan plan, HostFacts host, string hypervisorSha256, string images) => new()
    {
        Hypervisor = $"QEMU {host.QemuVersion}",
        HypervisorSha256 = hypervisorSha256,
        Accelerator = plan.Accelerator.ToString().ToLowerInvariant(),
        Processor = plan.Accelerator == Planning.Accelerator.Tcg ? "emulated" : HostProcessor.Identify(),
        Arguments = [.. QemuArguments.For(WithoutPaths(plan), host.QemuVersion)],
        Images = images,
    };

    /// <summary>How another one differs from this, for a person; empty where it does not.</summary>
    public IReadOnlyList<string> Differences(MachineIdentity other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var differences = new List<string>();
        Compare("hypervisor", Hypervisor, other.Hypervisor);
        if (Hypervisor == other.Hypervisor)
            Compare("hypervisor's program", Short(HypervisorSha256), Short(other.HypervisorSha256));
        Compare("accelerator", Accelerator, other.Accelerator);
        Compare("processor", Processor, other.Processor);
        Compare("images", Short(Images), Short(other.Images));
        var (gone, come) = (Arguments.Except(other.Arguments).ToList(), other.Arguments.Except(Arguments).ToList());
        if (gone.Count + come.Count > 0)
            differences.Add($"machine: {string.Join(' ', gone)} -> {string.Join(' ', come)}");
        else if (!Arguments.SequenceEqual(other.Arguments))
            differences.Add("machine: the order of its arguments");
        return differences;

        void Compare(string what, string before, string now)
        {
            if (before != now)
                differences.Add($"{what}: {before} -> {now}");
        }
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private static BootPlan WithoutPaths(BootPlan plan) => plan with
    {
        Instance = "name",
        Kernel = "kernel",
        Initramfs = plan.Initramfs is null ? null : "initramfs",
        Disks = [.. plan.Disks.Select(disk => disk with { Path = disk.Serial })],
        Network = plan.Network is { } network ? network with { Socket = "network" } : null,
        AgentSocket = "agent",
        ControlSocket = "control",
        ConsoleLog = "console",
        VmmLog = "log",
        Memory = null,
        Resume = null,
    };
}

/// <summary>The processor of the host, where guests run on it.</summary>
internal static class HostProcessor
{
    /// <summary>Model, what it can do, and its microcode: a guest that goes on elsewhere would use what is not there.</summary>
    internal static string Identify()
    {
        const string CpuInfo = "/proc/cpuinfo";
        if (!File.Exists(CpuInfo))
            return "unknown";
        var first = File.ReadLines(CpuInfo).TakeWhile(line => line.Length > 0).ToList();
        string[] names = ["model name", "flags", "microcode", "stepping", "Features", "CPU part", "CPU revision"];
        var facts = first.Where(line => names.Any(name => line.StartsWith(name, StringComparison.Ordinal))).ToList();
        var model = facts.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "processor";
        return $"{model} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', facts))).AsSpan(0, 6))}";
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>libkrun with KVM or Hypervisor.framework (https://github.com/containers/libkrun), in a process of its own: <see cref="KrunProcess"/>.</summary>
public sealed class KrunHypervisor : IHypervisor
{
    /// <summary>The environment variable that names a folder as <c>--runtime-dir</c> does.</summary>
    public const string RuntimeVariable = "OPENSHELL_VM_RUNTIME_DIR";

    /// <inheritdoc/>
    public string Name => HypervisorNames.Libkrun;

    /// <inheritdoc/>
    public IReadOnlyList<Fault> Check(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        return
        [
            .. host.Libkrun is null ? (Fault[])[KrunFaults.NoLibrary(config.RuntimeDirectory, host)] : [],

            // With a kernel of our own it is not loaded.
            .. config.RootDirectory is not null && host.Libkrunfw.Count == 0 ? (Fault[])[KrunFaults.NoFirmware(config.RuntimeDirectory, host)] : [],
            .. AcceleratorChoice.Hardware(host) is null ? (Fault[])[KrunFaults.NoHardware(host)] : [],
            .. host.VmmProgram is null ? (Fault[])[KrunFaults.NoProgram()] : [],
        ];
    }

    /// <inheritdoc/>
    public LaunchSpec Describe(BootPlan plan, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(host);
        var program = host.VmmProgram ?? throw new FaultException(KrunFaults.NoProgram());
        var krun = plan.Krun ?? throw new ArgumentException("Not a plan for libkrun.", nameof(plan));
        return new LaunchSpec
        {
            Title = "libkrun",
            Program = program.Command[0],
            Arguments = [.. program.Command.Skip(1), krun.PlanFile],
            Environment = program.Environment,
            LogFile = plan.VmmLog,
        };
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Hypervisors.Qemu;

/// <summary>QEMU with KVM, HVF, or its own emulation (TCG).</summary>
public sealed class QemuHypervisor : IHypervisor
{
    /// <summary>The oldest with <c>-netdev stream</c> over Unix sockets.</summary>
    public static readonly Version MinimumVersion = new(7, 2);

    /// <inheritdoc/>
    public string Name => HypervisorNames.Qemu;

    /// <inheritdoc/>
    public IReadOnlyList<Fault> Check(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return Problem(host) is { } fault ? [fault] : [];
    }

    /// <inheritdoc/>
    public LaunchSpec Describe(BootPlan plan, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(host);
        return new LaunchSpec
        {
            Title = "QEMU",
            Program = Problem(host) is { } fault ? throw new FaultException(fault) : host.Qemu!,
            Arguments = [.. QemuArguments.For(plan, host.QemuVersion)],
            LogFile = plan.VmmLog,

            // Under emulation neither the guest's memory nor the translated code gains by them what clearing them costs (docs/adr/0064).
            HugePages = plan.Accelerator != Accelerator.Tcg,
        };
    }

    private static Fault? Problem(HostFacts host)
    {
        if (host.Qemu is not { } qemu)
        {
            return new Fault
            {
                Code = "host.no-qemu",
                Stage = BootStages.HostProbe,
                What = $"There is no qemu-system-{host.GuestArchitecture} on this host.",
                Remedy = host.GuestArchitecture == host.Architecture
                    ? "Run 'sudo ./gateway setup', which installs it from Debian's backports; 'gateway doctor' lists everything that is missing."
                    : "Run 'sudo ./gateway setup --with-tests', which installs it from Debian's backports, besides what the tests use.",
            };
        }

        return host.QemuVersion is null || host.QemuVersion >= MinimumVersion
            ? null
            : new Fault
            {
                Code = "host.qemu-too-old",
                Stage = BootStages.HostProbe,
                What = $"{qemu} is QEMU {host.QemuVersion}; {MinimumVersion} or later is needed.",
                Remedy = "Install a newer one, such as Debian 12's or its backports'.",
            };
    }
}

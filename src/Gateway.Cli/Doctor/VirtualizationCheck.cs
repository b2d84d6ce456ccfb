using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Planning;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>QEMU, gvproxy, libkrun, and how fast guest code really runs.</summary>
internal sealed class VirtualizationCheck : IHostCheck
{
    public string Name => "virtualization";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var probe = new HostProbe(context.Host.Directories, [.. context.Host.Self, HiddenCommands.KvmProbe]);
        probe.Forget();
        var host = await probe.ProbeAsync(cancellationToken);
        return
        [
            Qemu(host),
            .. host.QemuImg is null && host.Qemu is not null
                ? (CheckResult[])[new CheckResult("qemu-img", host.Libkrun is null ? CheckState.Failed : CheckState.Warning, "there is none; it makes the disks of instances", "Install it: sudo ./gateway setup (package qemu-utils)")]
                : [],
            host.Gvproxy is null
                ? new CheckResult("gvproxy", OperatingSystem.IsMacOS() ? CheckState.Failed : CheckState.Warning, OperatingSystem.IsMacOS() ? "there is none" : "there is none yet; it is fetched with the first image build", OperatingSystem.IsMacOS() ? "Install it: 'brew install podman' brings it along" : null)
                : new CheckResult("gvproxy", CheckState.Ok, host.Gvproxy),
            new CheckResult("libkrun", CheckState.Ok, host.Libkrun is null ? "there is none; only --hypervisor libkrun needs it" : string.Join(", ", host.Libkrunfw.Prepend(host.Libkrun))),
            .. host.Accelerators.Select(a => new CheckResult(CliJson.Word(a.Accelerator), a.Usable ? CheckState.Ok : CheckState.Warning, a.Reason, a.Usable || a.Accelerator != Accelerator.Kvm ? null : KvmRemedy.Of())),
        ];
    }

    private static CheckResult Qemu(HostFacts host)
    {
        const string Setup = "Install it: sudo ./gateway setup";
        if (host.Qemu is null)
            return new CheckResult("qemu", host.Libkrun is null ? CheckState.Failed : CheckState.Warning, "there is none", Setup);
        return host.QemuVersion < QemuHypervisor.MinimumVersion
            ? new CheckResult("qemu", CheckState.Failed, $"{host.Qemu} is version {host.QemuVersion}; {QemuHypervisor.MinimumVersion} or later is needed", Setup)
            : new CheckResult("qemu", host.QemuVersion is null ? CheckState.Warning : CheckState.Ok, $"{host.Qemu}, version {host.QemuVersion?.ToString() ?? "unknown: it did not say"}");
    }
}

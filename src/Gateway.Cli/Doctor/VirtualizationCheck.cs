using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Planning;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>QEMU, gvproxy, and how fast guest code runs.</summary>
internal sealed class VirtualizationCheck : IHostCheck
{
    public string Name => "virtualization";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var probe = new HostProbe(context.Host.Directories, [.. context.Host.Self, HiddenCommands.KvmProbe]);
        probe.Forget();
        var host = await probe.ProbeAsync(cancellationToken);
        var results = new List<CheckResult>
        {
            host.Qemu is null
                ? new CheckResult("qemu", CheckState.Failed, "there is none", "Install it: sudo ./gateway setup")
                : new CheckResult("qemu", CheckState.Ok, $"{host.Qemu}, version {host.QemuVersion?.ToString() ?? "unknown"}"),
            host.Gvproxy is null
                ? new CheckResult("gvproxy", CheckState.Warning, "there is none yet; it is fetched with the first image build")
                : new CheckResult("gvproxy", CheckState.Ok, host.Gvproxy),
            new CheckResult("libkrun", CheckState.Ok, host.Libkrun is null ? "there is none; only --hypervisor libkrun needs it" : string.Join(", ", host.Libkrunfw.Prepend(host.Libkrun))),
        };
        foreach (var accelerator in host.Accelerators)
            results.Add(new CheckResult(CliJson.Word(accelerator.Accelerator), accelerator.Usable ? CheckState.Ok : CheckState.Warning, accelerator.Reason));
        return results;
    }
}

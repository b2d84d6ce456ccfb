using System.CommandLine;
using System.Text.RegularExpressions;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway logs</c>: the host's files, or a log of a service in the guest.</summary>
internal static partial class LogsCommand
{
    // What a shell offers; others are there as well.
    private static readonly string[] Sources =
        ["console", "vmm", "gvproxy", "supervisor", "containerd", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "dns", "dhcp", "k3s"];

    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as more is written, until Ctrl-C." };
        var source = new Option<string?>("--source", "-s")
        {
            Description = "console (what the guest's kernel and init say), vmm, gvproxy, supervisor, or a service of the guest such as kube-apiserver. Default: console.",
            HelpName = "SOURCE",
        };
        source.CompletionSources.Add(Sources);
        var command = new Command("logs", "Print a log of an instance.") { name, follow, source };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var wanted = parse.GetValue(source) ?? "console";
            if (!ServiceName().IsMatch(wanted))
                throw new FaultException(ValueFaults.Make("--source", wanted, "there can be no such log", "Write console, vmm, gvproxy, supervisor, or the name of a service such as kube-apiserver."));
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var files = InstanceFiles.For(context.Host.Directories, InstanceName.Parse(status.Name));
            var file = wanted switch
            {
                "console" => files.ConsoleLog,
                "vmm" => status.Hypervisor == HypervisorNames.Libkrun ? files.KrunLog : files.VmmLog,
                "gvproxy" => files.GvproxyLog,
                "supervisor" => files.SupervisorLog,
                _ => null,
            };
            if (file is null)
                return await new ServiceLog(context, status.Name, wanted).PrintAsync(parse.GetValue(follow), cancellation);
            if (!File.Exists(file))
                throw new FaultException(new Fault { Code = "instance.no-log", What = $"'{status.Name}' has no {wanted} log yet.", Remedy = "It is written when the instance is started: 'gateway up'." });
            await new RotatedLog(file).CopyAsync(LocalStreams.LogOutput(context), parse.GetValue(follow), cancellation);
            return ExitCodes.Success;
        }));
        return command;
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{0,62}$")]
    private static partial Regex ServiceName();
}

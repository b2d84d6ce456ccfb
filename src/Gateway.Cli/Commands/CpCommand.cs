using System.CommandLine;
using OpenShell.Gateway.Cli.Copying;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway cp SRC DST</c></summary>
internal static class CpCommand
{
    public static Command Create(CommandContext context)
    {
        var source = new Argument<string>("source") { Description = "What is copied: a path here, INSTANCE:PATH in a guest (:PATH in that of 'default'), or '-' for a tar archive from stdin. 'FOLDER/.' means what is in it.", HelpName = "SRC" };
        var destination = new Argument<string>("destination") { Description = "Where to: the same; '-' writes a tar archive to stdout. A folder that is there takes the copy under its own name.", HelpName = "DST" };
        source.CompletionSources.Add(Completing.InstanceNames.BeforePath);
        destination.CompletionSources.Add(Completing.InstanceNames.BeforePath);
        var follow = new Option<bool>("--follow-link", "-L") { Description = "If SRC is a symbolic link, copy what it leads to." };
        var limit = new Option<string?>("--max-size") { Description = "Take at most this much from a guest: 512m, 20g (what there is room for; 1 TiB with the holes of sparse files).", HelpName = "SIZE" };
        var command = new Command("cp", "Copy files and folders between this machine and a running instance, with permissions and times; symbolic links stay links.") { source, destination, follow, limit };
        command.SetAction(parse =>
        {
            var faults = new List<Fault>();
            var request = CopyRequest.Read(parse.GetValue(source)!, parse.GetValue(destination)!, faults) is { } read
                ? read with { FollowLink = parse.GetValue(follow), MaxSize = parse.GetValue(limit) is { } size ? ByteSizeParser.Parse("--max-size", size, faults) : null }
                : null;
            return faults.Count == 0 ? Interrupts.GuardAsync(cancellation => new CopyFlow(context, request!).RunAsync(cancellation)) : throw new FaultException(faults);
        });
        return command;
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway up</c>, and <c>gateway</c> alone: starts an instance, or with <c>--exec</c> a machine for one program.</summary>
internal static class UpCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("up", "Start the cluster and wait until the gateway answers; stay until Ctrl-C.");
        Configure(command, context);
        return command;
    }

    /// <summary>Gives a command the options and the action of <c>up</c>.</summary>
    public static void Configure(Command command, CommandContext context)
    {
        var start = new StartOptions();
        var detach = new Option<bool>("--detach", "-d") { Description = "Come back once it is ready, and leave it running." };
        var reset = new Option<bool>("--reset") { Description = "Begin anew: delete what this instance has on its disk; its configuration stays." };
        var bundle = new Option<string?>("--bundle") { Description = "Start from this bundle ('gateway bundle create') and nothing else: no network is needed.", HelpName = "FILE" };
        var output = new OutputOption();
        start.AddTo(command);
        command.Options.Add(bundle);
        command.Options.Add(detach);
        command.Options.Add(reset);
        command.Options.Add(output);
        command.SetAction(async parse =>
        {
            var manner = new StartManner(parse.GetValue(detach), parse.GetValue(reset), output.IsJson(parse));
            var config = start.Read(parse, context);
            if (config.Mode == GuestMode.Exec && (manner.Detach || manner.Reset))
            {
                throw new FaultException(UsageFaults.Make(
                    $"{(manner.Detach ? "--detach" : "--reset")} does not go with --exec: that machine lives as long as its program, and leaves nothing behind.",
                    "Leave one of the two away."));
            }

            if (parse.GetValue(bundle) is not { } file)
                return await new StartFlow(context, config, manner).RunAsync();
            if (BundleSetup.Faults(config).ToList() is { Count: > 0 } faults)
                throw new FaultException(faults);
            var code = await Interrupts.GuardAsync(async cancellation =>
            {
                config = await BundleSetup.PrepareAsync(context, config, Path.GetFullPath(file), cancellation);
                return ExitCodes.Success;
            });
            return code == ExitCodes.Success ? await new StartFlow(context, config, manner).RunAsync() : code;
        });
    }
}

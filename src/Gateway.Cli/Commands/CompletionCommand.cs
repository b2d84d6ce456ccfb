using System.CommandLine;
using OpenShell.Gateway.Cli.Completing;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway completion SHELL</c></summary>
internal static class CompletionCommand
{
    public static Command Create(CommandContext context)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish.", HelpName = "SHELL" };
        shell.CompletionSources.Add([.. CompletionScripts.Shells]);
        var command = new Command("completion", "Print what makes a shell complete commands, options, values and names of instances. Bash: source <(gateway completion bash).") { shell };
        command.SetAction(parse =>
        {
            var wanted = parse.GetValue(shell)!;
            if (!CompletionScripts.Shells.Contains(wanted))
                throw new FaultException(UsageFaults.Make($"There are no completions for '{Options.Values.ValueFaults.Printable(wanted)}'.", $"Name one of: {string.Join(", ", CompletionScripts.Shells)}."));
            context.Host.Out.Write(CompletionScripts.For(wanted));
            return ExitCodes.Success;
        });
        return command;
    }
}

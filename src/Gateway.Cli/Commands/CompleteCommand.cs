using System.CommandLine;
using OpenShell.Gateway.Cli.Completing;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>Answers a shell that completes a line: a word and its description on each line, and last whether it may offer files.</summary>
internal static class CompleteCommand
{
    public static Command Create(CommandContext context)
    {
        var words = new Argument<string[]>("words") { Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(HiddenCommands.Complete) { words };
        command.Hidden = true;
        command.SetAction(parse =>
        {
            var answer = Completer.Complete(parse.RootCommandResult.Command, parse.GetValue(words) ?? []);
            foreach (var (value, description) in answer.Completions)
                context.Host.Out.Write(description is null ? $"{value}\n" : $"{value}\t{FirstSentence(description)}\n");
            context.Host.Out.Write(answer.Files switch { ShellFiles.Files => ":files\n", ShellFiles.Folders => ":folders\n", _ => ":none\n" });
            return ExitCodes.Success;
        });
        return command;
    }

    // Shells show it beside the word.
    private static string FirstSentence(string text) => text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..end] : text.TrimEnd('.');
}

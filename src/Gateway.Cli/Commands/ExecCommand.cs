using System.CommandLine;
using System.CommandLine.Parsing;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway exec</c>: a program in a running instance.</summary>
internal static class ExecCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var interactive = new Option<bool>("--interactive", "-i") { Description = "Pass stdin on." };
        var options = new ProgramOptions();
        var line = new Argument<string[]>("command") { Description = "The program and its arguments, behind '--'.", Arity = ArgumentArity.ZeroOrMore, HelpName = "PROGRAM [ARGUMENT...]" };
        var command = new Command("exec", "Run a program in a running instance, and end with its exit code.") { name, interactive, line };
        options.AddTo(command);
        command.SetAction(parse =>
        {
            var words = Words(parse, command, parse.GetValue(line) ?? []);
            var faults = new List<Fault>();
            var request = options.Read(parse, words[0], words[1..], parse.GetValue(interactive), faults);
            return faults.Count == 0 ? RunAsync(context, name.Of(parse), request) : throw new FaultException(faults);
        });
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, string name, Vm.Protocol.Messages.ExecRequest request)
    {
        await using var agent = await context.Host.Instances.ConnectAsync(name);
        try
        {
            using var program = new GuestProgram(request);
            var result = await program.RunAsync(() => agent.ExecAsync(request), LocalStreams.Stdin, LocalStreams.Stdout, LocalStreams.Stderr);
            return ProgramEnd.Report(context, request, result);
        }
        catch (FaultException e)
        {
            return ProgramEnd.Lost(context, e);
        }
    }

    // The parser takes a word that looks like an option, but is none of ours, for an argument; and one that is ours by chance it would take away
    // from the program. So a dash is only allowed behind "--".
    private static string[] Words(ParseResult parse, Command command, string[] words)
    {
        if (words.Length == 0)
            throw new FaultException(UsageFaults.Make("There is no program to run.", "Write it behind '--', such as: gateway exec -- uname -a"));
        var dashed = parse.Tokens.SkipWhile(t => t.Type != TokenType.DoubleDash).Skip(1).Count();
        if (dashed == words.Length)
            return words;
        if (words[0].StartsWith('-'))
            throw new FaultException(UsageFaults.Unknown(words[0], command));
        if (dashed == 0 && !words.Any(w => w.StartsWith('-')) && parse.Tokens.TakeLast(words.Length).Select(t => t.Value).SequenceEqual(words))
            return words;
        throw new FaultException(UsageFaults.Make(
            $"It is not clear whether what stands behind '{ValueFaults.Printable(words[0])}' is meant for it or for gateway.",
            "Write '--' in front of the program, such as: gateway exec -- ls -l"));
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli;

/// <summary>What is wrong with a command line, as faults: each names the word and what to write instead.</summary>
internal static class UsageFaults
{
    /// <summary>A fault about the command line itself.</summary>
    public static Fault Make(string what, string remedy) => new() { Code = "cli.usage", What = what, Remedy = remedy, IsUsage = true };

    /// <summary>Everything that the parser did not understand.</summary>
    public static FaultException From(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        var faults = new List<Fault>();

        // A value behind an unknown option is unknown too, but only the option is worth a line.
        var unknown = parse.UnmatchedTokens.Where(t => t.StartsWith('-')).DefaultIfEmpty(parse.UnmatchedTokens is [var first, ..] ? first : null);
        foreach (var token in unknown.OfType<string>())
            faults.Add(Unknown(token, command));

        foreach (var error in parse.Errors)
        {
            if (error.SymbolResult is OptionResult option)
                faults.Add(OptionError(option, error.Message));
            else if (parse.UnmatchedTokens.Count == 0)
                faults.Add(Make(error.Message, HelpRemedy(command)));
        }

        return new FaultException(faults);
    }

    /// <summary>An option of the bare <c>gateway</c> in front of a subcommand would silently do nothing: it is refused instead.</summary>
    public static void ThrowIfMisplaced(ParseResult parse)
    {
        var root = parse.RootCommandResult;
        var command = parse.CommandResult.Command;
        if (command == root.Command)
            return;
        var misplaced = root.Children.OfType<OptionResult>()
            .Where(o => !o.Implicit && !o.Option.Recursive)
            .Select(o => Make(
                $"{o.Option.Name} stands in front of '{command.Name}', where it means nothing.",
                command.Options.Any(known => known.Name == o.Option.Name)
                    ? $"Write it behind: gateway {CommandPath(command)} {o.Option.Name} ..."
                    : $"'{command.Name}' has no such option; leave it away."))
            .ToList();
        if (misplaced.Count > 0)
            throw new FaultException(misplaced);
    }

    /// <summary>An empty value is what a shell makes of a variable that is not set: it is refused, and not taken for a value that was left away.</summary>
    public static void ThrowIfEmpty(ParseResult parse)
    {
        var command = parse.CommandResult;
        var options = command.Children.Concat(parse.RootCommandResult.Children).Distinct().OfType<OptionResult>()
            .Where(o => o.Tokens.Any(t => t.Value.Length == 0))
            .Select(o => Make($"{o.Option.Name} has an empty value.", $"Write {o.Option.Name} {o.Option.HelpName ?? "VALUE"}, or leave it away."));
        // What may be repeated is a program's words, and some of those are empty.
        var arguments = command.Children.OfType<ArgumentResult>()
            .Where(a => a.Argument.Arity.MaximumNumberOfValues == 1 && a.Tokens.Any(t => t.Value.Length == 0))
            .Select(a => Make($"{a.Argument.HelpName ?? a.Argument.Name} is empty.", HelpRemedy(command.Command)));
        var faults = options.Concat(arguments).ToList();
        if (faults.Count > 0)
            throw new FaultException(faults);
    }

    /// <summary>An option that is not known, with the nearest that is.</summary>
    public static Fault Unknown(string token, Command command)
    {
        var name = token.StartsWith('-') ? token.Split('=', ':')[0] : token;
        var known = name.StartsWith('-')
            ? OptionNames(command)
            : command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);
        var nearest = Suggestion.Nearest(name, known);
        var kind = name.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        return Make(
            $"Unknown {kind} '{ValueFaults.Printable(token)}'{(command is RootCommand ? "" : $" for 'gateway {CommandPath(command)}'")}.",
            nearest is null ? HelpRemedy(command) : $"Did you mean '{nearest}'? {HelpRemedy(command)}");
    }

    private static Fault OptionError(OptionResult result, string message) => result switch
    {
        { Tokens.Count: 0 } => Make(
            $"{result.Option.Name} needs a value.",
            $"Write {result.Option.Name} {result.Option.HelpName ?? "VALUE"}."),
        { IdentifierTokenCount: > 1 } => Make($"{result.Option.Name} is given {result.IdentifierTokenCount} times.", "Give it once."),
        _ => Make($"{result.Option.Name}: {message}", HelpRemedy((Command)result.Option.Parents.First())),
    };

    private static IEnumerable<string> OptionNames(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(p => p.Options).Where(o => o.Recursive))
            .Where(o => !o.Hidden)
            .SelectMany(o => o.Aliases.Prepend(o.Name));

    private static string HelpRemedy(Command command) =>
        command is RootCommand ? "See 'gateway --help'." : $"See 'gateway {CommandPath(command)} --help'.";

    private static string CommandPath(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{CommandPath(parent)} {command.Name}" : command.Name;
}

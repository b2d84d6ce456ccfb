using System.CommandLine;

namespace OpenShell.Gateway.Cli.Completing;

/// <summary>Where on a command line one is, behind some words.</summary>
/// <param name="Command">The command that they lead to.</param>
/// <param name="Value">The option whose value comes next, if so.</param>
/// <param name="Position">How many arguments that command has been given.</param>
/// <param name="Verbatim">Whether what follows is another program's.</param>
/// <param name="Given">The options that were given.</param>
internal sealed record Place(Command Command, Option? Value, int Position, bool Verbatim, IReadOnlyList<Option> Given)
{
    /// <summary>Reads the words as the parser does.</summary>
    public static Place Of(Command root, IReadOnlyList<string> words)
    {
        var place = new Place(root, null, 0, false, []);
        foreach (var word in words)
            place = place.Behind(word);
        return place;
    }

    /// <summary>The option of that name, here.</summary>
    public Option? Find(string name) => All().FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name));

    /// <summary>Options that can be given here: those that may be given again, or were not yet.</summary>
    public IEnumerable<Option> Options() => All().Where(o => !o.Hidden && (o.ValueType.IsArray || !Given.Contains(o)));

    private IEnumerable<Option> All() => Command.Options.Concat(Ancestors(Command).SelectMany(c => c.Options).Where(o => o.Recursive));

    private Place Behind(string word)
    {
        if (Verbatim)
            return this;
        if (Value is not null)
            return this with { Value = null };
        if (word == "--")
            return this with { Verbatim = true };
        if (word.StartsWith('-') && Find(word.Split('=')[0]) is { } option)
        {
            return this with
            {
                Given = [.. Given, option],
                Verbatim = option.Name == VerbatimArguments.Option,
                Value = !word.Contains('=', StringComparison.Ordinal) && Completer.TakesValue(option) ? option : null,
            };
        }

        if (word.StartsWith('-'))
            return this;
        return Position == 0 && Command.Subcommands.FirstOrDefault(c => c.Name == word || c.Aliases.Contains(word)) is { } command
            ? new Place(command, null, 0, false, [])
            : this with { Position = Position + 1 };
    }

    private static IEnumerable<Command> Ancestors(Command command) => command.Parents.OfType<Command>().SelectMany(p => Ancestors(p).Prepend(p));
}

using System.CommandLine;
using System.CommandLine.Completions;

namespace OpenShell.Gateway.Cli.Completing;

/// <summary>Something that could stand where the cursor is.</summary>
/// <param name="Value">The whole word.</param>
/// <param name="Description">What it is; <see langword="null"/>: it speaks for itself.</param>
internal sealed record Completion(string Value, string? Description);

/// <summary>What else the shell itself may offer.</summary>
internal enum ShellFiles
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Names of files and folders.</summary>
    Files,

    /// <summary>Names of folders.</summary>
    Folders,
}

/// <summary>Everything that could stand there.</summary>
internal sealed record CompletionAnswer(IReadOnlyList<Completion> Completions, ShellFiles Files);

/// <summary>Completes a line by the same commands and options that <c>--help</c> shows. Pure, but for what the symbols themselves look up (names of instances).</summary>
internal static class Completer
{
    /// <summary>Completes the last word, which may be empty.</summary>
    /// <param name="root">The whole command line.</param>
    /// <param name="words">What stands behind the program's name, up to the cursor.</param>
    public static CompletionAnswer Complete(Command root, IReadOnlyList<string> words)
    {
        var last = words.Count == 0 ? "" : words[^1];
        var place = Place.Of(root, [.. words.Take(words.Count - 1)]);
        if (place.Verbatim)
            return new CompletionAnswer([], ShellFiles.Files);
        if (place.Value is { } option)
            return Values(option, last, "");
        if (last.StartsWith('-'))
        {
            return last.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals && place.Find(last[..equals]) is { } named && TakesValue(named)
                ? Values(named, last[(equals + 1)..], last[..(equals + 1)])
                : Matching(place.Options().SelectMany(o => Names(o).Select(n => new Completion(n, o.Description))), last, ShellFiles.None);
        }

        var commands = place.Position > 0 ? [] : place.Command.Subcommands.Where(c => !c.Hidden).Select(c => new Completion(c.Name, c.Description));
        if (Argument(place) is not { } argument)
            return Matching(commands, last, ShellFiles.None);
        return Matching(commands.Concat(Of(argument.GetCompletions(CompletionContext.Empty))), last, FilesOf(argument.HelpName ?? argument.Name));
    }

    /// <summary>Whether a word of its own belongs to it.</summary>
    internal static bool TakesValue(Option option) => option.ValueType != typeof(bool) && option.Arity.MaximumNumberOfValues > 0;

    // The last one takes all that are more, if it may have several.
    private static Argument? Argument(Place place)
    {
        var arguments = place.Command.Arguments;
        return place.Position < arguments.Count ? arguments[place.Position] : arguments is [.., { Arity.MaximumNumberOfValues: > 1 } many] ? many : null;
    }

    private static CompletionAnswer Values(Option option, string word, string before)
    {
        var values = Of(option.GetCompletions(CompletionContext.Empty)).Select(c => c with { Value = before + c.Value });
        return Matching(values, before + word, FilesOf(option.HelpName ?? ""));
    }

    private static IEnumerable<Completion> Of(IEnumerable<CompletionItem> items) => items.Select(i => new Completion(i.InsertText ?? i.Label, i.Documentation ?? i.Detail));

    private static IEnumerable<string> Names(Option option) => option.Aliases.Prepend(option.Name).Where(n => n.StartsWith('-'));

    private static CompletionAnswer Matching(IEnumerable<Completion> all, string word, ShellFiles files) =>
        new([.. all.Where(c => c.Value.StartsWith(word, StringComparison.Ordinal)).DistinctBy(c => c.Value).OrderBy(c => c.Value, StringComparer.Ordinal)], files);

    // By the word that stands for the value in --help.
    private static ShellFiles FilesOf(string helpName) => OfWord(helpName.TrimEnd('.'));

    private static ShellFiles OfWord(string helpName) =>
        helpName.EndsWith("DIR", StringComparison.Ordinal) || helpName.StartsWith("HOST:GUEST[", StringComparison.Ordinal) ? ShellFiles.Folders
        : helpName is "SRC" or "DST" or "archives" || helpName.EndsWith("FILE", StringComparison.Ordinal) || helpName.EndsWith("PATH", StringComparison.Ordinal) ? ShellFiles.Files
        : ShellFiles.None;
}

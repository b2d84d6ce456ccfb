namespace OpenShell.Vm.Images.Building;

/// <summary>A program of the host to run, as data.</summary>
internal sealed record ToolCommand
{
    /// <summary>Its name, looked up in PATH and in sbin; or an absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>Arguments without argv[0].</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Variables that differ from this process's; <see langword="null"/> unsets one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Working directory; <see langword="null"/>: <c>/</c>, which is there for whoever runs it.</summary>
    public string? Folder { get; init; }

    /// <summary>Whether it is long and greedy, and so must leave the processors to others first.</summary>
    public bool Background { get; init; }

    /// <summary>Whether it has nothing to clean up, so that it is killed at once where others are asked to end first.</summary>
    public bool Abrupt { get; init; }

    /// <summary>Whether it belongs into the provenance: what only looks something up does not.</summary>
    public bool Recorded { get; init; } = true;

    /// <summary>As one would type it.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Program).Select(Quote));

    private static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=:,+@%^$~".Contains(c, StringComparison.Ordinal)) ? word : "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}

/// <summary>A tool ended with a code other than 0.</summary>
internal sealed class ToolFailedException(ToolCommand command, int exitCode, IReadOnlyList<string> lastLines)
    : Exception($"{Path.GetFileName(command.Program)} ended with {exitCode}: {string.Join(" / ", lastLines.TakeLast(3))}")
{
    public ToolCommand Command { get; } = command;

    public int ExitCode { get; } = exitCode;

    /// <summary>The last lines that it wrote to stderr, or to stdout if those were all.</summary>
    public IReadOnlyList<string> LastLines { get; } = lastLines;

    /// <summary>The very last of them, or its exit code in words.</summary>
    public string LastLine => LastLines.Count > 0 ? LastLines[^1] : $"{Path.GetFileName(Command.Program)} ended with {ExitCode} and said nothing";
}

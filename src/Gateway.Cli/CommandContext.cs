using System.CommandLine;

namespace OpenShell.Gateway.Cli;

/// <summary>What every command is given: the world it acts on, and the options that stand before or behind any command.</summary>
internal sealed class CommandContext(CliHost host, IReadOnlyList<string> verbatimArguments)
{
    private ParseResult? _parse;

    /// <summary>The process's surroundings.</summary>
    public CliHost Host { get; } = host;

    /// <summary>Everything behind <c>--args</c>, untouched.</summary>
    public IReadOnlyList<string> VerbatimArguments { get; } = verbatimArguments;

    /// <summary><c>-v</c></summary>
    public Option<bool> VerboseOption { get; } = new("--verbose", "-v") { Description = "Say more: every step, and what is behind a failure.", Recursive = true };

    /// <summary><c>-q</c></summary>
    public Option<bool> QuietOption { get; } = new("--quiet", "-q") { Description = "Say nothing but failures and what was asked for.", Recursive = true };

    /// <summary>Whether to say more.</summary>
    public bool Verbose => Host.Variable("OPENSHELL_VM_DEBUG") is "1" || Is(VerboseOption);

    /// <summary>Whether to keep quiet about progress.</summary>
    public bool Quiet => Is(QuietOption);

    /// <summary>Makes the values of this command line known.</summary>
    public void Bind(ParseResult parse) => _parse = parse;

    private bool Is(Option<bool> option) => _parse?.GetResult(option) is not null && _parse.GetValue(option);
}

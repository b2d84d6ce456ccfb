using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Options;

/// <summary>How a program is run in the guest: the options that <c>exec</c> and <c>--exec</c> share.</summary>
internal sealed class ProgramOptions
{
    private readonly Option<bool> _terminal = new("--tty", "-t") { Description = "Give the program a terminal." };
    private readonly Option<string[]> _environment = new("--env", "-e") { Description = "A variable for the program; may be repeated.", HelpName = "KEY=VALUE" };
    private readonly Option<string?> _directory = new("--workdir", "-w") { Description = "The program's working directory in the guest.", HelpName = "DIR" };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_terminal);
        command.Options.Add(_environment);
        command.Options.Add(_directory);
    }

    /// <summary>Those that were given, by name.</summary>
    public IEnumerable<string> Given(ParseResult parse) =>
        new Option[] { _terminal, _environment, _directory }.Where(o => parse.GetResult(o) is { Implicit: false }).Select(o => o.Name);

    /// <summary>The request; adds a fault for each value that is wrong.</summary>
    public ExecRequest Read(ParseResult parse, string program, IReadOnlyList<string> arguments, bool stdin, ICollection<Fault> faults)
    {
        var directory = parse.GetValue(_directory);
        if (directory is not null && !directory.StartsWith('/'))
        {
            faults.Add(ValueFaults.Make("--workdir", directory, "it is not an absolute path in the guest", "Write --workdir /some/folder."));
            directory = null;
        }

        var terminal = parse.GetValue(_terminal);
        if (terminal && stdin && !LibC.IsTerminal(LibC.Stdin))
            faults.Add(UsageFaults.Make("-t wants a terminal, but stdin is none.", "Leave -t away, or run it from a terminal."));
        return new ExecRequest
        {
            Program = program,
            Arguments = arguments,
            Environment = [.. TerminalType(terminal), .. EnvironmentParser.ParseAll(parse.GetValue(_environment) ?? [], faults)],
            WorkingDirectory = directory,
            Terminal = terminal,
            Stdin = stdin,
            Size = terminal ? CurrentSize() : null,
        };
    }

    /// <summary>The size of the terminal this process writes to.</summary>
    public static TerminalSize? CurrentSize() =>
        (LibC.WindowSize(LibC.Stdout) ?? LibC.WindowSize(LibC.Stdin)) is { } size ? new TerminalSize(size.Columns, size.Rows) : null;

    // Programs draw by the terminal's type; the one that -e names wins, since the last of two wins.
    private static IEnumerable<string> TerminalType(bool terminal) =>
        terminal && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } type ? [$"TERM={type}"] : [];
}

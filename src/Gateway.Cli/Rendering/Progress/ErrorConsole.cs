using System.Text;
using OpenShell.Gateway.Cli.Terminals;
using Spectre.Console;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>Spectre.Console on stderr, told what it would otherwise guess from stdout.</summary>
internal static class ErrorConsole
{
    /// <summary>A console for a terminal on stderr.</summary>
    public static IAnsiConsole Create(CliHost host)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = host.Colors ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = new Output(host.Error),
        });

        // Says how CI services want their output; this is a person's terminal.
        console.Profile.Capabilities.Links = false;
        return console;
    }

    private sealed class Output(TextWriter writer) : IAnsiConsoleOutput
    {
        private const int DefaultColumns = 80;
        private const int DefaultRows = 24;

        public TextWriter Writer { get; } = writer;

        public bool IsTerminal => true;

        public int Width => LibC.WindowSize(LibC.Stderr)?.Columns ?? DefaultColumns;

        public int Height => LibC.WindowSize(LibC.Stderr)?.Rows ?? DefaultRows;

        public void SetEncoding(Encoding encoding)
        {
            // The writer has its own.
        }
    }
}

using System.CommandLine;
using System.CommandLine.Invocation;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli;

/// <summary>The command from its arguments to its exit code. The one place where an exception becomes text.</summary>
internal static class GatewayApp
{
    /// <summary>Runs one command line.</summary>
    /// <returns>The process's exit code, see <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CliHost host)
    {
        var (own, verbatim) = VerbatimArguments.Split(arguments);
        var context = new CommandContext(host, verbatim);
        var root = CommandCatalog.CreateRoot(context);

        // No response files: "@name" is an argument like any other, above all behind "--".
        var parse = root.Parse(own, new ParserConfiguration { ResponseFileTokenReplacer = null });
        context.Bind(parse);
        try
        {
            if (parse.Action is ParseErrorAction)
                throw UsageFaults.From(parse);
            UsageFaults.ThrowIfMisplaced(parse);
            UsageFaults.ThrowIfEmpty(parse);
            return await parse.InvokeAsync(new InvocationConfiguration
            {
                Output = host.Out,
                Error = host.Error,
                // Exceptions become faults below; signals are handled by the commands that outlive one (Interrupts).
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
#pragma warning disable CA1031 // whatever it is, the user gets a message with a remedy, not a stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            return FailureReport.Write(context, e);
        }
    }
}

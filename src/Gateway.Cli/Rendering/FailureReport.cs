using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>The end of a command that did not work: what happened, what to do about it, where more stands. Never a stack trace, unless one was asked for.</summary>
internal static class FailureReport
{
    /// <summary>Writes to stderr.</summary>
    /// <returns>The exit code.</returns>
    public static int Write(CommandContext context, Exception exception)
    {
        // Whoever read our output has had enough: end as a program without a handler would, without a word.
        if (exception is BrokenPipeException)
            return ExitCodes.Signal(LinuxSignals.Pipe);
        var known = exception as FaultException ?? ForeignFaults.Translate(exception);
        var broken = known is null;
        known ??= ForeignFaults.Unexpected(exception);
        try
        {
            foreach (var fault in known.Faults)
                Write(context.Host.Error, fault);
            if (context.Verbose || (broken && context.Host.Variable("OPENSHELL_VM_DEBUG") is not null))
                context.Host.Error.WriteLine(exception.ToString());
        }
        catch (IOException)
        {
            // stderr is gone (a closed terminal); the exit code still tells.
        }

        return known.Faults.All(f => f.IsUsage) ? ExitCodes.Usage : ExitCodes.Failure;
    }

    /// <summary>One fault.</summary>
    public static void Write(TextWriter writer, Fault fault)
    {
        writer.WriteLine($"error: {Indented(fault.What)}");
        writer.WriteLine($"  remedy: {Indented(fault.Remedy)}");
        if (fault.Log is { } log)
            writer.WriteLine($"  log: {log}");
    }

    private static string Indented(string text) => text.TrimEnd().ReplaceLineEndings("\n    ");
}

using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli;

/// <summary>Exceptions that are no faults yet, as faults.</summary>
internal static class ForeignFaults
{
    /// <summary>The fault that this exception amounts to; <see langword="null"/> if it is a defect of this program.</summary>
    public static FaultException? Translate(Exception exception) => SystemFaults.Translate(exception) is { } fault ? new FaultException(fault, exception) : null;

    /// <summary>A defect of this program.</summary>
    public static FaultException Unexpected(Exception exception) => new(
        new Fault
        {
            Code = "cli.unexpected",
            What = $"This should not happen: {exception.GetType().Name}: {exception.Message}",
            Remedy = "Run the same command with -v for the details, and report both, please.",
        },
        exception);
}

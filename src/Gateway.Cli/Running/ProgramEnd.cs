using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>Says why a program in the guest did not run, and hands on its exit code.</summary>
internal static class ProgramEnd
{
    private const int NotExecutable = 126;

    /// <summary>The exit code for this process.</summary>
    public static int Report(CommandContext context, ExecRequest request, ExecResult result)
    {
        if (result.Error is { } error)
        {
            FailureReport.Write(context.Host.Error, new Fault
            {
                Code = "guest.exec-failed",
                What = $"'{request.Program}' did not run in the guest: {error}",
                Remedy = error.StartsWith("chdir", StringComparison.Ordinal)
                    ? "Give --workdir (-w) a folder that is in the guest."
                    : result.ExitCode == NotExecutable
                    ? "Name a file that is executable in the guest."
                    : "Name a program of the guest by its absolute path, or by a name that is in the guest's PATH.",
            });
        }

        return result.ExitCode;
    }

    /// <summary>The machine or the channel was lost: says so.</summary>
    /// <returns><see cref="ExitCodes.GuestLost"/>.</returns>
    public static int Lost(CommandContext context, FaultException exception)
    {
        FailureReport.Write(context, exception);
        return ExitCodes.GuestLost;
    }
}

using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Runs the work of a stage so that its failure is reported as that stage's, with its fault.</summary>
internal static class StageReporting
{
    /// <summary>Runs it; what it reports as success is its own.</summary>
    /// <exception cref="StageFailedException">It failed; that is reported already.</exception>
    public static async Task InStageAsync(this IStageReporter reporter, string stage, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (StageFailedException or OperationCanceledException))
        {
            // A defect of this program: the fault has one sentence, the console gets the stack.
            if (exception is not GuestFaultException)
                KernelConsole.Say(exception.ToString());
            reporter.Report(stage, StageState.Failed, null, GuestFaultException.Of(exception));
            throw new StageFailedException(stage, exception);
        }
    }
}

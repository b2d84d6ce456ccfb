using System.Globalization;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Power;

/// <summary>One step of the end.</summary>
/// <param name="Name">Reported as stage <c>shutdown/NAME</c>.</param>
/// <param name="Limit">How long it may take.</param>
/// <param name="Work">Does it, patiently.</param>
/// <param name="Harder">What is done when it took too long or failed: quick, and asks nobody.</param>
internal sealed record ShutdownStep(string Name, TimeSpan Limit, Func<Task> Work, Action Harder);

/// <summary>Takes the steps one after the other; none can keep the next from being taken.</summary>
internal static class ShutdownSteps
{
    /// <summary>Takes them all, and tells of each.</summary>
    public static async Task RunAsync(IReadOnlyList<ShutdownStep> steps, IStageReporter reporter)
    {
        foreach (var step in steps)
            await RunAsync(step, reporter).ConfigureAwait(false);
    }

    private static async Task RunAsync(ShutdownStep step, IStageReporter reporter)
    {
        var stage = "shutdown/" + step.Name;
        var began = Uptime.Nanoseconds;
        reporter.Report(stage, StageState.Started);
        var why = await TryAsync(step).ConfigureAwait(false);
        var seconds = (Uptime.Nanoseconds - began) / 1e9;
        if (why is null)
        {
            reporter.Report(stage, StageState.Completed, string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"));
            return;
        }

        KernelConsole.Say($"{stage} {why}");
        reporter.Report(stage, StageState.Failed, why + "; it is done the hard way");
        try
        {
            step.Harder();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            KernelConsole.Say($"{stage}: {exception.Message}");
        }
    }

    /// <returns>Why it did not work; <see langword="null"/>: it did.</returns>
    private static async Task<string?> TryAsync(ShutdownStep step)
    {
        // On a thread of its own: system calls such as umount(2) can wait for a device that does not answer any more.
        var work = Task.Run(step.Work);
        try
        {
            if (await Task.WhenAny(work, Task.Delay(step.Limit)).ConfigureAwait(false) != work)
                return string.Create(CultureInfo.InvariantCulture, $"is not done within {step.Limit.TotalSeconds:0.#} s");
            await work.ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            return $"failed: {exception.Message}";
        }
    }
}

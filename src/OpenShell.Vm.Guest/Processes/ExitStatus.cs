namespace OpenShell.Vm.Guest.Processes;

/// <summary>How a child process ended, taken apart from the status word of <c>wait(2)</c>.</summary>
/// <param name="Code">What it passed to <c>exit</c>, 0 to 255; 0 when a signal ended it.</param>
/// <param name="Signal">The number of the signal that ended it, or 0.</param>
public readonly record struct ExitStatus(int Code, int Signal)
{
    /// <summary>Whether it ended by itself with 0.</summary>
    public bool IsSuccess => Code == 0 && Signal == 0;

    /// <summary>The code as a shell reports it: 128 + n when signal n ended it.</summary>
    public int ShellCode => Signal == 0 ? Code : 128 + Signal;

    /// <summary>Takes a status word apart, the way of <c>WIFEXITED</c> and its siblings in Linux's <c>bits/waitstatus.h</c>.</summary>
    internal static ExitStatus FromWaitStatus(int status) =>
        (status & 0x7f) == 0 ? new((status >> 8) & 0xff, 0) : new(0, status & 0x7f);

    /// <inheritdoc/>
    public override string ToString() => Signal == 0 ? $"exit code {Code}" : $"signal {Signal}";
}

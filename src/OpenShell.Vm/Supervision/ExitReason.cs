using System.Globalization;

namespace OpenShell.Vm.Supervision;

/// <summary>How a process of the host ended.</summary>
/// <param name="Code">Its exit code, unless a signal ended it.</param>
/// <param name="Signal">The signal that ended it, if one did.</param>
public sealed record ExitReason(int? Code, int? Signal)
{
    /// <summary>For a sentence that begins with the process's name: <c>exited with code 1</c>.</summary>
    public override string ToString() => Signal is { } signal
        ? string.Create(CultureInfo.InvariantCulture, $"was ended by {Signals.Name(signal)}")
        : string.Create(CultureInfo.InvariantCulture, $"exited with code {Code}");

    /// <summary>Reads the status word of waitpid (https://man7.org/linux/man-pages/man2/wait.2.html; the same layout on macOS).</summary>
    internal static ExitReason FromWaitStatus(int status)
    {
        var signal = status & 0x7f;
        return signal == 0 ? new ExitReason((status >> 8) & 0xff, null) : new ExitReason(null, signal);
    }
}

/// <summary>The signals that are sent here, by the numbers that Linux and macOS share.</summary>
internal static class Signals
{
    internal const int Interrupt = 2;
    internal const int Kill = 9;
    internal const int Terminate = 15;

    internal static string Name(int signal) => signal switch
    {
        1 => "SIGHUP",
        Interrupt => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        Kill => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        Terminate => "SIGTERM",
        31 when OperatingSystem.IsLinux() => "SIGSYS (a system call that its sandbox forbids)",
        _ => "signal " + signal.ToString(CultureInfo.InvariantCulture),
    };
}

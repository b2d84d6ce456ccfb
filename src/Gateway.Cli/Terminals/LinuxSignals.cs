using System.Runtime.InteropServices;

namespace OpenShell.Gateway.Cli.Terminals;

/// <summary>Signals by their numbers on Linux, which is what the guest runs (https://man7.org/linux/man-pages/man7/signal.7.html).</summary>
internal static class LinuxSignals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Pipe = 13;
    public const int Terminate = 15;

    /// <summary>The number of a signal that this process received.</summary>
    public static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => Hangup,
        PosixSignal.SIGINT => Interrupt,
        PosixSignal.SIGQUIT => Quit,
        PosixSignal.SIGTERM => Terminate,
        _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "Not one that is passed on."),
    };
}

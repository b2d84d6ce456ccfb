namespace OpenShell.Gateway.Cli;

/// <summary>What the process's exit code says. For programs run in the guest they are docker's (https://docs.docker.com/engine/containers/run/#exit-status).</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>It failed; stderr says what and what to do.</summary>
    public const int Failure = 1;

    /// <summary>The command line was wrong; nothing was changed.</summary>
    public const int Usage = 2;

    /// <summary>The machine, or the channel to it, was lost before the program in the guest ended: its own exit code is not known.</summary>
    public const int GuestLost = 125;

    /// <summary>Ended by a signal.</summary>
    public static int Signal(int number) => 128 + number;
}

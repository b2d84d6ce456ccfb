namespace OpenShell.Vm.Logs;

/// <summary>When a log is begun anew, and how much of the past is kept.</summary>
/// <param name="Bytes">A log longer than this is rotated.</param>
/// <param name="Kept">Older parts that are kept: <c>NAME.1</c> is the youngest.</param>
public sealed record LogLimits(long Bytes, int Kept)
{
    /// <summary>Of supervisor, console, hypervisor and network: a guest that writes to its console without end costs 32 MiB.</summary>
    public static LogLimits Default { get; } = new(8 << 20, 3);

    /// <summary>Of events: some 5000 to a part.</summary>
    public static LogLimits Events { get; } = new(1 << 20, 3);
}

namespace OpenShell.Vm.Protocol;

/// <summary>Times as the protocol has them.</summary>
public static class UnixTime
{
    /// <summary>Nanoseconds since the Unix epoch; .NET's clock counts hundreds of them.</summary>
    /// <param name="time">From the year 1678 to the year 2262: what 64 bits hold.</param>
    public static long ToUnixTimeNanoseconds(this DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}

namespace OpenShell.Vm.Supervision;

/// <summary>How long is waited before something that failed is tried again.</summary>
/// <param name="First">The first pause; doubles with each failure in a row.</param>
/// <param name="Longest">The longest.</param>
/// <param name="ForgetAfter">What went well for so long begins anew.</param>
internal sealed record Backoff(TimeSpan First, TimeSpan Longest, TimeSpan ForgetAfter)
{
    /// <summary>Of whole machines: a cluster that fails in its first minutes for a lasting reason costs little, one that fails once a day is back at once.</summary>
    internal static Backoff Machine { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));

    /// <summary>Of gvproxy, without which the guest is cut off.</summary>
    internal static Backoff Gvproxy { get; } = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));

    /// <summary>The pause.</summary>
    /// <param name="failures">How many there were in a row, the last one included: 1 or more.</param>
    internal TimeSpan PauseAfter(int failures)
    {
        // 2^20 first pauses are past any limit; without the cap the shift would wrap.
        var factor = 1L << Math.Min(Math.Max(failures, 1) - 1, 20);
        return TimeSpan.FromTicks(Math.Min(First.Ticks * factor, Longest.Ticks));
    }

    /// <summary>How many failures in a row there are, after another one.</summary>
    /// <param name="before">How many there were.</param>
    /// <param name="lasted">How long it went well in between.</param>
    internal int Count(int before, TimeSpan lasted) => lasted >= ForgetAfter ? 1 : before + 1;
}

using System.Diagnostics;

namespace OpenShell.Vm.Tests.Support;

/// <summary>Waits for a condition instead of for a time.</summary>
internal static class Eventually
{
    /// <summary>Generous: the machine may be busy. A test that passes does not wait for it.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    internal static async Task BeTrueAsync(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Limit)
                throw new TimeoutException($"Not within {Limit.TotalSeconds} s: {what}.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}

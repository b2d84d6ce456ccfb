using System.Diagnostics;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>Waits for what will be, and says what it waited for.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(string what, Func<Task<bool>> condition, TimeSpan timeout)
    {
        for (var clock = Stopwatch.StartNew(); !await condition(); await Task.Delay(100, TestContext.Current.CancellationToken))
            clock.Elapsed.ShouldBeLessThan(timeout, what);
    }
}

using System.Diagnostics;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>Waits for what will be, and says what it waited for.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(string what, Func<Task<bool>> condition, TimeSpan timeout)
    {
        var clock = Stopwatch.StartNew();
        for (var asked = clock.Elapsed; !await condition(); asked = clock.Elapsed)
        {
            clock.Elapsed.ShouldBeLessThan(timeout, what);

            // An emulated cluster answers slowly, and more slowly the more it is asked: it has four times as long for its work as for its answers.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(4 * (clock.Elapsed - asked).TotalMilliseconds, 100, 2000)), TestContext.Current.CancellationToken);
        }
    }
}

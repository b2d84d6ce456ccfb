using OpenShell.Tests.Timing;
using OpenShell.Vm.Supervision.Watching;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class WatchRunnerTests
{
    [Fact(Timeout = 60_000)]
    public async Task It_looks_at_its_interval_and_goes_on_after_a_failure_that_it_says_once()
    {
        var time = new ManualTime();
        var said = new List<string>();
        var watch = new Failing();
        using var stop = new CancellationTokenSource();
        var running = WatchRunner.RunAsync([watch], time, said.Add, stop.Token);
        for (var looks = 0; looks < 4; looks++)
        {
            await Eventually.BeTrueAsync(() => time.Waiting == 1, "it waits for its next look");
            watch.Looks.ShouldBe(looks);
            time.Advance(watch.Interval / 2);
            watch.Looks.ShouldBe(looks);
            time.Advance(watch.Interval / 2);
            await Eventually.BeTrueAsync(() => watch.Looks == looks + 1, "it looks");
        }

        await stop.CancelAsync();
        await running.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        said.ShouldHaveSingleItem().ShouldBe("while watching a test: IOException: broken");
    }

    private sealed class Failing : IWatch
    {
        public int Looks { get; private set; }

        public string Name => "a test";

        public TimeSpan Interval => TimeSpan.FromSeconds(10);

        public Task LookAsync(CancellationToken cancellationToken)
        {
            Looks++;
            throw new IOException("broken");
        }
    }
}

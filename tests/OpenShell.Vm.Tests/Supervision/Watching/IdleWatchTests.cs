using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class IdleWatchTests
{
    [Fact]
    public async Task It_is_told_once_when_nobody_used_it_for_so_long_and_use_begins_the_time_anew()
    {
        var time = new HandClock();
        var (used, told) = (false, 0);
        var watch = new IdleWatch(TimeSpan.FromMinutes(1), () => used, _ => Task.FromResult(told++), time);

        await LookAsync(59);
        told.ShouldBe(0);
        used = true;
        await LookAsync(30);
        used = false;
        await LookAsync(59);
        told.ShouldBe(0);
        await LookAsync(1);
        told.ShouldBe(1);
        await LookAsync(59);
        told.ShouldBe(1);

        async Task LookAsync(int seconds)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            await watch.LookAsync(TestContext.Current.CancellationToken);
        }
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}

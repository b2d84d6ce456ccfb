using OpenShell.Tests.Timing;
using OpenShell.Vm.Supervision.Watching;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class HeartbeatWatchTests
{
    private static readonly HeartbeatLimits Limits = HeartbeatLimits.Of(TimeSpan.FromSeconds(60));

    private readonly ManualTime _time = new();
    private readonly List<string> _hung = [];
    private TimeSpan _used = TimeSpan.FromHours(1);
    private bool _answers = true, _paused;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_that_answers_never_hangs()
    {
        var watch = Watch();
        for (var i = 0; i < 100; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(5));
        _hung.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_is_silent_while_it_has_processor_time_hangs_after_its_limit_and_is_told_once()
    {
        var watch = Watch();
        await LookAsync(watch, _used);
        _answers = false;
        for (var i = 0; i < 4; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(8));
        _hung.ShouldBeEmpty();
        for (var i = 0; i < 20; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(8));
        _hung.ShouldHaveSingleItem().ShouldContain("no word from PID 1 for 60 s");
    }

    [Fact]
    public async Task One_that_gets_no_processor_time_is_waited_for_longer_but_not_for_ever()
    {
        var watch = Watch();
        _answers = false;
        for (var i = 0; i < 23; i++)
            await LookAsync(watch, _used);
        _hung.ShouldBeEmpty();
        await LookAsync(watch, _used);
        _hung.ShouldHaveSingleItem().ShouldContain("240 s");
    }

    [Fact]
    public async Task A_late_answer_begins_the_wait_anew()
    {
        var watch = Watch();
        _answers = false;
        for (var i = 0; i < 4; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(8));
        _answers = true;
        await LookAsync(watch, _used);
        _answers = false;
        for (var i = 0; i < 4; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(8));
        _hung.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_machine_that_is_held_cannot_answer_and_is_not_to_blame()
    {
        var watch = Watch();
        (_answers, _paused) = (false, true);
        for (var i = 0; i < 100; i++)
            await LookAsync(watch, _used += TimeSpan.FromSeconds(8));
        _hung.ShouldBeEmpty();
    }

    private HeartbeatWatch Watch() => new(
        async token =>
        {
            if (!_answers)
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
        }, () => _used, () => _paused, Limits, _hung.Add, _time);

    /// <summary>One look and the time until the next: an unanswered question takes all of it.</summary>
    private async Task LookAsync(HeartbeatWatch watch, TimeSpan used)
    {
        _used = used;
        var looking = watch.LookAsync(Token);
        _time.Advance(watch.Interval);
        await looking.WaitAsync(Eventually.Limit, Token);
    }
}

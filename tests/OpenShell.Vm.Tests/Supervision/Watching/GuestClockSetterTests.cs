using OpenShell.Tests.Timing;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class GuestClockSetterTests
{
    private readonly ManualTime _time = new();
    private readonly Queue<int> _ways = [];
    private TimeSpan _behind;
    private int _set, _asked;

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(-9)]
    public async Task A_clock_that_is_right_is_left_alone(int milliseconds)
    {
        _behind = TimeSpan.FromMilliseconds(milliseconds);
        (await SettleAsync()).ShouldBe(_behind);
        _set.ShouldBe(0);
        _asked.ShouldBe(1, "the first answer was quick");
    }

    [Theory]
    [InlineData(80)]
    [InlineData(-80)]
    [InlineData(86400000)]
    public async Task It_is_right_within_milliseconds_whatever_the_way_took(int milliseconds)
    {
        _behind = TimeSpan.FromMilliseconds(milliseconds);
        foreach (var way in new[] { 60, 25, 90, 25, 31, 40, /* set */ 25 })
            _ways.Enqueue(way);
        (await SettleAsync())!.Value.Duration().ShouldBeLessThan(TimeSpan.FromMilliseconds(10));
        _behind.Duration().ShouldBeLessThan(TimeSpan.FromMilliseconds(10));
        _set.ShouldBe(1);
    }

    [Fact]
    public async Task A_guest_that_does_not_say_is_left_alone()
    {
        var clock = new GuestClockSetter(_time.GetUtcNow, _time, (_, _) => Task.FromResult<HostChangeReply?>(null));
        (await clock.SettleAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task A_clock_that_never_becomes_right_is_not_set_for_ever()
    {
        _behind = TimeSpan.FromSeconds(1);
        var clock = new GuestClockSetter(_time.GetUtcNow, _time, (change, token) => TellAsync(change, (_, _) => { }));
        (await clock.SettleAsync(TestContext.Current.CancellationToken)).ShouldBe(TimeSpan.FromSeconds(1));
        _set.ShouldBe(3);
    }

    [Fact]
    public async Task By_one_question_it_is_right_as_exactly_as_that_took()
    {
        _behind = TimeSpan.FromMilliseconds(300);
        foreach (var way in new[] { 30, /* set */ 12 })
            _ways.Enqueue(way);
        await Setter().SetOnceAsync(TestContext.Current.CancellationToken);
        (_asked, _set).ShouldBe((1, 1));
        _behind.Duration().ShouldBeLessThan(TimeSpan.FromMilliseconds(30));
    }

    private Task<TimeSpan?> SettleAsync() => Setter().SettleAsync(TestContext.Current.CancellationToken);

    private GuestClockSetter Setter() => new(_time.GetUtcNow, _time, (change, token) => TellAsync(change, (host, guest) => _behind += guest - host));

    /// <summary>A guest that is <see cref="_behind"/>, and some milliseconds away in both directions.</summary>
    private Task<HostChangeReply?> TellAsync(HostChange change, Action<DateTimeOffset, DateTimeOffset> set)
    {
        var way = TimeSpan.FromMilliseconds(_ways.TryDequeue(out var milliseconds) ? milliseconds : 1);
        _time.Advance(way);
        var (told, guest) = (DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(change.HostTimeUnixNanoseconds!.Value / 100), _time.GetUtcNow() - _behind);
        if (change.OnlyCompares == true)
        {
            _asked++;
        }
        else
        {
            _set++;
            set(told, guest);
        }

        _time.Advance(way);
        return Task.FromResult<HostChangeReply?>(new HostChangeReply { ClockOffsetNanoseconds = (told - guest).Ticks * 100, Told = [] });
    }
}

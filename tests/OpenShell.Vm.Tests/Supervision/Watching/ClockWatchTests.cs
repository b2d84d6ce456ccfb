using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class ClockWatchTests
{
    private readonly List<(string Name, string Message)> _events = [];
    private readonly List<HostChange> _told = [];
    private HostClocks _clocks = new(TimeSpan.FromDays(20000), TimeSpan.FromHours(5), TimeSpan.FromHours(4));
    private Func<HostChange, HostChangeReply?> _answer = _ => new HostChangeReply { ClockOffsetNanoseconds = 0, Told = [] };

    [Fact]
    public async Task Time_that_passes_for_all_clocks_is_no_news()
    {
        var watch = Watch();
        for (var i = 0; i < 10; i++)
            await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _told.ShouldBeEmpty();
        _events.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sleep_is_told_with_its_length_and_the_guest_gets_the_time_and_renews()
    {
        _answer = _ => new HostChangeReply { ClockOffsetNanoseconds = 7_200_000_000_000, Told = ["dhcp", "dns"] };
        var watch = Watch();
        var slept = TimeSpan.FromHours(2);
        _clocks = _clocks with { Wall = _clocks.Wall + slept, SinceBoot = _clocks.SinceBoot + slept };
        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));

        var told = _told.ShouldHaveSingleItem();
        told.Network.ShouldBeTrue();
        told.HostTimeUnixNanoseconds.ShouldBe(_clocks.Wall.Ticks * 100);
        _events.ShouldHaveSingleItem().ShouldBe((EventNames.ClockJumped, "the host slept for 2 h 0 min; the guest's clock, 2 h 0 min behind, was set, and dhcp, dns told"));

        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _events.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(90, "the host's clock was set forward by 1 min 30 s")]
    [InlineData(-3, "the host's clock was set back by 3.0 s")]
    public async Task A_clock_that_was_set_is_told_with_its_direction_and_nothing_is_renewed(int seconds, string message)
    {
        var watch = Watch();
        _clocks = _clocks with { Wall = _clocks.Wall + TimeSpan.FromSeconds(seconds) };
        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _told.ShouldHaveSingleItem().Network.ShouldBeFalse();
        _events.ShouldHaveSingleItem().Message.ShouldStartWith(message);
    }

    [Fact]
    public async Task Less_than_a_second_is_left_alone_but_adds_up()
    {
        var watch = Watch();
        for (var i = 0; i < 2; i++)
        {
            _clocks = _clocks with { Wall = _clocks.Wall + TimeSpan.FromSeconds(0.4) };
            await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        }

        _told.ShouldBeEmpty();
        _clocks = _clocks with { Wall = _clocks.Wall + TimeSpan.FromSeconds(0.4) };
        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _told.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_could_not_be_told_is_told_at_the_next_look_with_the_time_of_then()
    {
        _answer = _ => null;
        var watch = Watch();
        _clocks = _clocks with { Wall = _clocks.Wall + TimeSpan.FromSeconds(30) };
        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _events.ShouldBeEmpty();

        _answer = _ => new HostChangeReply { ClockOffsetNanoseconds = 30_000_000_000, Told = [] };
        await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _events.ShouldHaveSingleItem().Message.ShouldContain("set forward by 30.0 s");
        _told[^1].HostTimeUnixNanoseconds.ShouldBe(_clocks.Wall.Ticks * 100);
    }

    [Theory]
    [InlineData(365 * 86400L, "the guest's clock was not the host's; the guest's clock, 365 days behind, was set")]
    [InlineData(-90L, "the guest's clock was not the host's; the guest's clock, 1 min 30 s ahead, was set")]
    public async Task A_guest_whose_clock_is_another_is_set_right_and_told(long behind, string message)
    {
        var off = behind;
        _answer = change =>
        {
            var reply = new HostChangeReply { ClockOffsetNanoseconds = off * 1_000_000_000, Told = [] };
            off = change.OnlyCompares == true ? off : 0;
            return reply;
        };
        var watch = Watch(compares: true);
        for (var i = 0; i < 12; i++)
            await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _events.ShouldHaveSingleItem().ShouldBe((EventNames.ClockJumped, message));
        _told.Count(change => change.OnlyCompares != true).ShouldBe(1);
        _told.Count(change => change.OnlyCompares == true).ShouldBe(3);
        _told.ShouldAllBe(change => !change.Network);
    }

    [Fact]
    public async Task A_guest_that_answers_late_is_not_taken_for_one_whose_clock_is_wrong()
    {
        // Asked, and held for a minute: by the time of its answer what it was told is a minute old.
        _answer = _ =>
        {
            _clocks = Pass(TimeSpan.FromMinutes(1));
            return new HostChangeReply { ClockOffsetNanoseconds = -60_000_000_000, Told = [] };
        };
        var watch = Watch(compares: true);
        for (var i = 0; i < 8; i++)
            await LookAsync(watch, Pass(TimeSpan.FromSeconds(5)));
        _told.ShouldNotBeEmpty();
        _told.ShouldAllBe(change => change.OnlyCompares == true);
        _events.ShouldBeEmpty();
    }

    [Fact]
    public void The_real_clocks_can_be_read()
    {
        var clocks = HostClocks.Read();
        (DateTimeOffset.UnixEpoch + clocks.Wall - DateTimeOffset.UtcNow).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
        clocks.SinceBoot.ShouldBeGreaterThanOrEqualTo(clocks.Awake - TimeSpan.FromSeconds(1));
    }

    private ClockWatch Watch(bool compares = false) => new(() => _clocks, (change, _) =>
    {
        _told.Add(change);
        return Task.FromResult(_answer(change));
    }, (name, message, _) => _events.Add((name, message)), compares);

    private HostClocks Pass(TimeSpan time) => new(_clocks.Wall + time, _clocks.SinceBoot + time, _clocks.Awake + time);

    private Task LookAsync(ClockWatch watch, HostClocks clocks)
    {
        _clocks = clocks;
        return watch.LookAsync(TestContext.Current.CancellationToken);
    }
}

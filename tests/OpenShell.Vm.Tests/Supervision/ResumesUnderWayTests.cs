using OpenShell.Tests.Timing;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class ResumesUnderWayTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly ManualTime _time = new();

    public ResumesUnderWayTests() => Begin = _time.GetUtcNow();

    private DateTimeOffset Begin { get; }

    private string Path => System.IO.Path.Combine(_folder.Path, "resuming");

    private ResumesUnderWay Instance => new(Path, _time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Who_is_alone_waits_for_nobody() => await Instance.OverAsync(() => false, Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

    [Fact]
    public async Task Many_are_under_way_and_the_last_to_answer_ends_the_wait()
    {
        var others = new[] { await Instance.EnterAsync(null, Cancellation), await Instance.EnterAsync(null, Cancellation) };
        var over = Instance.OverAsync(() => false, Cancellation);
        await LookAgainAsync(over);
        others[0].Dispose();
        await LookAgainAsync(over);
        over.IsCompleted.ShouldBeFalse();

        others[1].Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        await over.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task Whoever_is_wanted_waits_no_longer()
    {
        using var other = await Instance.EnterAsync(null, Cancellation);
        var wanted = false;
        var over = Instance.OverAsync(() => wanted, Cancellation);
        await LookAgainAsync(over);
        over.IsCompleted.ShouldBeFalse();
        wanted = true;
        _time.Advance(TimeSpan.FromSeconds(1));
        await over.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task One_that_never_answers_holds_nobody_up_for_ever()
    {
        using var other = await Instance.EnterAsync(null, Cancellation);
        var over = Instance.OverAsync(() => false, Cancellation);
        await LookAgainAsync(over);
        _time.Advance(ResumesUnderWay.Patience);
        await over.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task Who_is_saved_meanwhile_is_told_so()
    {
        using var other = await Instance.EnterAsync(null, Cancellation);
        using var saved = new CancellationTokenSource();
        var over = Instance.OverAsync(() => false, saved.Token);
        await saved.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => over.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
    }

    [Fact]
    public async Task So_many_go_on_at_a_time_and_the_next_when_one_has_answered()
    {
        var first = await Instance.EnterAsync(2, Cancellation);
        using var second = await Instance.EnterAsync(2, Cancellation);
        var third = Instance.EnterAsync(2, Cancellation);
        await LookAgainAsync(third);
        third.IsCompleted.ShouldBeFalse();

        first.Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await third.WaitAsync(TimeSpan.FromMinutes(1), Cancellation)).Dispose();
    }

    [Fact]
    public async Task Whose_turn_never_comes_goes_on_all_the_same()
    {
        using var first = await Instance.EnterAsync(1, Cancellation);
        var second = Instance.EnterAsync(1, Cancellation);
        while (!second.IsCompleted)
            await LookAgainAsync(second);
        (await second).Dispose();
        (_time.GetUtcNow() - Begin).ShouldBeGreaterThanOrEqualTo(ResumesUnderWay.Patience);
    }

    [Fact]
    public async Task Where_there_is_no_such_file_and_none_can_be_made_nobody_waits()
    {
        var nowhere = new ResumesUnderWay(System.IO.Path.Combine(Path, "nowhere", "resuming"), TimeProvider.System);
        (await nowhere.EnterAsync(1, Cancellation).WaitAsync(ResumesUnderWay.Patience / 2, Cancellation)).Dispose();
        await nowhere.OverAsync(() => false, Cancellation).WaitAsync(ResumesUnderWay.Patience / 2, Cancellation);
    }

    /// <summary>Time passes as soon as somebody waits for it.</summary>
    private async Task LookAgainAsync(Task over)
    {
        while (_time.Waiting == 0 && !over.IsCompleted)
            await Task.Yield();
        _time.Advance(TimeSpan.FromMilliseconds(100));
    }
}

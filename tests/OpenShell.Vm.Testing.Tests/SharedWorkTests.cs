namespace OpenShell.Vm.Testing.Tests;

public sealed class SharedWorkTests
{
    private readonly SharedWork<string, int> _work = new();
    private readonly TaskCompletionSource<int> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Task<int> WorkAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _begun);
        return _result.Task.WaitAsync(cancellationToken);
    }

    [Fact]
    public async Task Those_who_ask_at_once_wait_for_one_work()
    {
        var asked = Enumerable.Range(0, 20).Select(_ => _work.GetAsync("a", WorkAsync, Cancelled)).ToArray();
        _result.SetResult(7);

        (await Task.WhenAll(asked)).ShouldAllBe(value => value == 7);
        _begun.ShouldBe(1);
    }

    [Fact]
    public async Task What_it_came_to_is_remembered_until_it_is_forgotten()
    {
        _result.SetResult(7);
        await _work.GetAsync("a", WorkAsync, Cancelled);
        await _work.GetAsync("a", WorkAsync, Cancelled);
        _begun.ShouldBe(1);

        _work.Forget("a");
        await _work.GetAsync("a", WorkAsync, Cancelled);
        _begun.ShouldBe(2);
    }

    [Fact]
    public async Task Other_keys_are_other_work()
    {
        _result.SetResult(7);
        await Task.WhenAll(_work.GetAsync("a", WorkAsync, Cancelled), _work.GetAsync("b", WorkAsync, Cancelled));

        _begun.ShouldBe(2);
    }

    [Fact]
    public async Task A_failure_is_told_to_all_who_wait_and_tried_again_by_the_next()
    {
        var first = _work.GetAsync("a", WorkAsync, Cancelled);
        var second = _work.GetAsync("a", WorkAsync, Cancelled);
        _result.SetException(new InvalidOperationException("no"));
        await Should.ThrowAsync<InvalidOperationException>(first);
        await Should.ThrowAsync<InvalidOperationException>(second);

        (await _work.GetAsync("a", _ => Task.FromResult(8), Cancelled)).ShouldBe(8);
    }

    [Fact]
    public async Task Who_is_cancelled_leaves_the_work_to_the_others()
    {
        using var impatient = new CancellationTokenSource();
        var left = _work.GetAsync("a", WorkAsync, impatient.Token);
        var stays = _work.GetAsync("a", WorkAsync, Cancelled);

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(left);
        _result.SetResult(7);

        (await stays).ShouldBe(7);
        _begun.ShouldBe(1);
    }

    [Fact]
    public async Task When_nobody_waits_any_more_the_work_is_cancelled_and_seen_to_its_end()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = false;
        using var impatient = new CancellationTokenSource();
        var asked = _work.GetAsync("a", async token =>
        {
            begun.SetResult();
            try
            {
                return await _result.Task.WaitAsync(token);
            }
            finally
            {
                await Task.Yield();
                ended = true;
            }
        }, impatient.Token);
        await begun.Task.WaitAsync(Cancelled);

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(asked);

        ended.ShouldBeTrue();
        (await _work.GetAsync("a", _ => Task.FromResult(9), Cancelled)).ShouldBe(9);
    }
}

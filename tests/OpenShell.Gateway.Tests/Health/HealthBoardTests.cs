using OpenShell.Gateway.Health;

namespace OpenShell.Gateway.Tests.Health;

public sealed class HealthBoardTests
{
    private readonly HealthBoard _board = new();

    [Fact]
    public void A_service_that_was_never_set_is_not_there() => _board.Find("x").ShouldBeNull();

    [Fact]
    public async Task A_watch_begins_with_what_is_and_goes_on_with_what_changes()
    {
        _board.Set("x", ServingStatus.Serving);
        await using var watch = _board.WatchAsync("x", TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        (await Next(watch)).ShouldBe(ServingStatus.Serving);
        var next = Next(watch);
        _board.Set("y", ServingStatus.NotServing);
        _board.Set("x", ServingStatus.Serving);
        next.IsCompleted.ShouldBeFalse();
        _board.Set("x", ServingStatus.NotServing);
        (await next).ShouldBe(ServingStatus.NotServing);
    }

    [Fact]
    public async Task A_slow_watcher_gets_the_latest_not_the_history()
    {
        _board.Set("x", ServingStatus.Serving);
        await using var watch = _board.WatchAsync("x", TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await Next(watch);

        _board.Set("x", ServingStatus.NotServing);
        _board.Set("x", ServingStatus.Unknown);

        (await Next(watch)).ShouldBe(ServingStatus.Unknown);
    }

    [Fact]
    public async Task A_service_that_comes_later_is_unknown_until_then()
    {
        await using var watch = _board.WatchAsync("x", TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        (await Next(watch)).ShouldBe(ServingStatus.ServiceUnknown);
        _board.Set("x", ServingStatus.Serving);
        (await Next(watch)).ShouldBe(ServingStatus.Serving);
    }

    [Fact]
    public async Task Closing_tells_every_watcher_and_then_lets_go_of_them()
    {
        _board.Set("x", ServingStatus.Serving);
        var watches = Enumerable.Range(0, 20).Select(_ => Collect("x")).ToArray();

        _board.Close();

        foreach (var seen in await Task.WhenAll(watches))
            seen[^1].ShouldBe(ServingStatus.NotServing);
        _board.Set("x", ServingStatus.Serving);
        _board.Find("x").ShouldBe(ServingStatus.NotServing);
    }

    private async Task<List<ServingStatus>> Collect(string service)
    {
        var seen = new List<ServingStatus>();
        await foreach (var status in _board.WatchAsync(service, TestContext.Current.CancellationToken))
            seen.Add(status);
        return seen;
    }

    private static async Task<ServingStatus> Next(IAsyncEnumerator<ServingStatus> watch)
    {
        (await watch.MoveNextAsync()).ShouldBeTrue();
        return watch.Current;
    }
}

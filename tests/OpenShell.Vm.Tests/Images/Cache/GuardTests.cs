using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Images.Cache;

public sealed class GuardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_second_waits_until_the_first_is_done_and_learns_who_that_is()
    {
        var path = _folder.File("guards/thing");
        var first = await Guard.EnterAsync(path, null, TestContext.Current.CancellationToken);
        var waited = new TaskCompletionSource<int>();

        var second = Guard.EnterAsync(path, waited.SetResult, TestContext.Current.CancellationToken);

        (await waited.Task.WaitAsync(TestContext.Current.CancellationToken)).ShouldBe(Environment.ProcessId);
        second.IsCompleted.ShouldBeFalse();
        first.Dispose();
        (await second.WaitAsync(TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public async Task Another_process_that_holds_the_lock_is_waited_for_and_its_death_releases_it()
    {
        var path = _folder.Write("thing", "");
        using var holder = HostTool.Start("flock", ["--exclusive", "--no-fork", path, "cat"]);
        await WaitUntilAsync(() =>
        {
            using var free = Guard.TryEnter(path);
            return free is null;
        });

        var waiting = Guard.EnterAsync(path, null, TestContext.Current.CancellationToken);
        waiting.IsCompleted.ShouldBeFalse();
        holder.Kill();

        (await waiting.WaitAsync(TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public async Task Waiting_can_be_cancelled()
    {
        using var held = Guard.TryEnter(_folder.File("thing"));
        using var cancelled = new CancellationTokenSource();
        var waiting = Guard.EnterAsync(_folder.File("thing"), _ => cancelled.Cancel(), cancelled.Token);
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(20, TestContext.Current.CancellationToken);
    }
}

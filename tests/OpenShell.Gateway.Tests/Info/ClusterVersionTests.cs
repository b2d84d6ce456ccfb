using OpenShell.Gateway.Info;

namespace OpenShell.Gateway.Tests.Info;

public sealed class ClusterVersionTests
{
    private readonly ManualTime _time = new();
    private readonly Cluster _cluster = new();

    [Fact]
    public async Task A_version_is_asked_for_once_a_minute()
    {
        var version = new ClusterVersion(_cluster, _time);

        (await version.GetAsync(CancellationToken.None)).Version.ShouldBe("v1.2.3");
        _time.Now += ClusterVersion.KeepVersion - TimeSpan.FromSeconds(1);
        await version.GetAsync(CancellationToken.None);
        _cluster.Asked.ShouldBe(1);

        _time.Now += TimeSpan.FromSeconds(1);
        await version.GetAsync(CancellationToken.None);
        _cluster.Asked.ShouldBe(2);
    }

    [Fact]
    public async Task A_failure_is_told_and_tried_again_soon()
    {
        var version = new ClusterVersion(_cluster, _time);
        _cluster.Failure = "The API server is on holiday.";

        var failed = await version.GetAsync(CancellationToken.None);
        failed.Version.ShouldBeEmpty();
        failed.Unavailable.ShouldBe("The API server is on holiday.");

        _cluster.Failure = null;
        _time.Now += ClusterVersion.KeepFailure;
        (await version.GetAsync(CancellationToken.None)).Version.ShouldBe("v1.2.3");
    }

    [Fact]
    public async Task Callers_at_the_same_time_share_one_question_and_one_of_them_may_leave()
    {
        var version = new ClusterVersion(_cluster, _time);
        _cluster.Gate = new TaskCompletionSource();
        using var leaving = new CancellationTokenSource();
        var first = version.GetAsync(leaving.Token);
        var second = version.GetAsync(CancellationToken.None);

        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        _cluster.Gate.SetResult();

        (await second).Version.ShouldBe("v1.2.3");
        _cluster.Asked.ShouldBe(1);
    }

    private sealed class Cluster : IClusterApi
    {
        public int Asked { get; private set; }

        public string? Failure { get; set; }

        public TaskCompletionSource? Gate { get; set; }

        public async Task<string> GetVersionAsync()
        {
            Asked++;
            if (Gate is not null)
                await Gate.Task;
            return Failure is null ? "v1.2.3" : throw new ClusterUnavailableException(Failure);
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Info;

/// <summary>The API server's version, asked for at most once at a time and kept for a while: a busy client of ours is no load on the API server.</summary>
internal sealed class ClusterVersion(IClusterApi api, TimeProvider time)
{
    /// <summary>How long a version is kept: it changes with an upgrade, which is also a restart of much else.</summary>
    public static readonly TimeSpan KeepVersion = TimeSpan.FromMinutes(1);

    /// <summary>How long a failure is kept: long enough not to hammer, short enough to notice the cure.</summary>
    public static readonly TimeSpan KeepFailure = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<ClusterInfo>? _last;
    private DateTimeOffset _until;

    /// <summary>The version, or why it is not known; does not fail.</summary>
    public Task<ClusterInfo> GetAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_last is null || (_last.IsCompleted && time.GetUtcNow() >= _until))
                _last = AskAsync();
            // One caller's deadline ends its own wait, not the question, whose answer others may be waiting for.
            return _last.WaitAsync(cancellationToken);
        }
    }

    private async Task<ClusterInfo> AskAsync()
    {
        // Away from the lock that the caller holds.
        await Task.Yield();
        ClusterInfo info;
        try
        {
            info = new ClusterInfo { Version = await api.GetVersionAsync().ConfigureAwait(false) };
        }
        catch (ClusterUnavailableException unavailable)
        {
            info = new ClusterInfo { Unavailable = unavailable.Message };
        }
        var now = time.GetUtcNow();
        lock (_lock)
            _until = now + (info.Version.Length > 0 ? KeepVersion : KeepFailure);
        return info with { CheckedAt = Timestamp.From(now) };
    }
}

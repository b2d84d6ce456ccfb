using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>This host in the role of a guest.</summary>
internal sealed class LocalAgent(Journal journal) : IGuestAgent
{
    public Task<string> Closed { get; } = new TaskCompletionSource<string>().Task;

    public Task<IGuestProcess> ExecAsync(ExecRequest request, CancellationToken cancellationToken = default) =>
        Task.FromResult<IGuestProcess>(new LocalProcess(request with { Arguments = [.. request.Arguments.Select(Mapped)] }, journal));

    public async Task ReadFileAsync(string path, Stream destination, CancellationToken cancellationToken = default)
    {
        await using var file = File.OpenRead(Mapped(path));
        await file.CopyToAsync(destination, cancellationToken);
    }

    public Task WriteFileAsync(string path, Stream source, UnixFileMode mode, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<TreeSummary> ReadTreeAsync(TreeReadRequest request, ITreeSink sink, TreeLimits limits, IProgress<TreeProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        journal.Write($"read {request.Path} follow={request.FollowLink} max={limits.MaxLength}");
        return Task.FromResult(new TreeSummary(2, 1500, 1));
    }

    public Task<TreeSummary> WriteTreeAsync(TreeWriteRequest request, Func<MuxStream, CancellationToken, Task<TreeSummary>> source, CancellationToken cancellationToken = default)
    {
        journal.Write($"write {request.Path} name={request.Name} contents={request.Contents}");
        return Task.FromResult(new TreeSummary(1, 3, 0));
    }

    public Task PowerOffAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Where the guest's logs are, if DUMMY_LOGS names a folder of this host.
    private static string Mapped(string path) =>
        Environment.GetEnvironmentVariable("DUMMY_LOGS") is { Length: > 0 } logs && path.StartsWith(GuestPaths.Logs, StringComparison.Ordinal) ? logs + path[GuestPaths.Logs.Length..] : path;
}

using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>This host in the role of a guest.</summary>
internal sealed class LocalAgent(Journal journal) : IGuestAgent
{
    public Task<string> Closed { get; } = new TaskCompletionSource<string>().Task;

    public Task<IGuestProcess> ExecAsync(ExecRequest request, CancellationToken cancellationToken = default) =>
        Task.FromResult<IGuestProcess>(new LocalProcess(request, journal));

    public async Task ReadFileAsync(string path, Stream destination, CancellationToken cancellationToken = default)
    {
        await using var file = File.OpenRead(path);
        await file.CopyToAsync(destination, cancellationToken);
    }

    public Task WriteFileAsync(string path, Stream source, UnixFileMode mode, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task PowerOffAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

using System.Collections.Concurrent;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Cluster.Dns;

namespace OpenShell.Vm.Guest.Tests.Cluster.Dns;

public sealed class ExternalNamesTests
{
    [Fact]
    public async Task A_name_that_is_wanted_is_looked_up_once_and_said_when_it_is_known()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new ConcurrentQueue<string>();
        var names = new ExternalNames(() => changed.TrySetResult(), (name, _) =>
        {
            asked.Enqueue(name);
            return name == "gone.example.org" ? throw new SocketException((int)SocketError.TryAgain) : Task.FromResult<IReadOnlyList<string>>(["192.0.2.1"]);
        });
        var running = names.RunAsync(end.Token);

        names.Of("gone.example.org").ShouldBeEmpty();
        names.Of("bank.example.org").ShouldBeEmpty();
        await changed.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        names.Of("bank.example.org").ShouldBe(["192.0.2.1"]);
        names.Of("gone.example.org").ShouldBeEmpty();
        asked.Count(name => name == "bank.example.org").ShouldBe(1);

        names.Keep(new HashSet<string> { "gone.example.org" });
        names.Of("bank.example.org").ShouldBeEmpty("it was forgotten");
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
    }
}

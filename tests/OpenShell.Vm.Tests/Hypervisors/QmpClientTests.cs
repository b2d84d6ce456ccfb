using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors;

/// <summary>With a real QEMU that has no machine, or one that has stopped before its first instruction.</summary>
public sealed class QmpClientTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private ChildProcess? _qemu;
    private QmpClient? _client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private QmpClient Client => _client.ShouldNotBeNull();

    public async ValueTask InitializeAsync()
    {
        var socket = _folder.File("qmp.sock");
        var listener = QmpClient.Listen(socket);
        _qemu = ChildProcess.Start(new LaunchSpec
        {
            Title = "QEMU",
            Program = RealTools.Qemu,
            Arguments = ["-S", "-machine", "none", "-nodefaults", "-display", "none", "-chardev", $"socket,id=qmp,path={socket},server=off", "-mon", "chardev=qmp,mode=control"],
            LogFile = _folder.File("qemu.log"),
        });

        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var connecting = QmpClient.AcceptAsync(listener, gone.Token);
        if (await Task.WhenAny(connecting, _qemu.Exited, Task.Delay(Eventually.Limit, gone.Token)) != connecting)
        {
            await gone.CancelAsync();
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            Assert.Fail($"QEMU {(_qemu.Exited.IsCompleted ? $"ended ({await _qemu.Exited})" : "does not answer")} and said: {_qemu.LastWords}");
        }

        _client = await connecting;
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        if (_qemu is not null)
            await _qemu.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Commands_are_answered_each_with_its_own_answer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i => i % 2 == 0
            ? await Client.StatusAsync(Cancellation)
            : (await Client.ExecuteAsync("query-version", null, Cancellation))!["qemu"]!["major"]!.ToString()));
        answers.Where((_, i) => i % 2 == 0).ShouldAllBe(a => a == "prelaunch");
        answers.Where((_, i) => i % 2 == 1).ShouldAllBe(a => a.All(char.IsAsciiDigit));
    }

    [Fact]
    public async Task An_unknown_command_is_refused_by_name()
    {
        var refused = await Should.ThrowAsync<QmpException>(() => Client.ExecuteAsync("make-coffee", null, Cancellation));
        refused.Message.ShouldContain("make-coffee");
        (await Client.StatusAsync(Cancellation)).ShouldBe("prelaunch");
    }

    [Fact]
    public async Task An_answer_that_nobody_waits_for_any_more_is_not_taken_for_another()
    {
        using var impatient = new CancellationTokenSource();
        var abandoned = Client.ExecuteAsync("query-commands", null, impatient.Token);
        await impatient.CancelAsync();
        await ((Task)abandoned).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        (await Client.StatusAsync(Cancellation)).ShouldBe("prelaunch");
    }

    [Fact]
    public async Task Quit_ends_QEMU_and_the_shutdown_is_told()
    {
        await Client.QuitAsync(Cancellation);
        (await _qemu!.Exited.WaitAsync(Eventually.Limit, Cancellation)).Code.ShouldBe(0);
        var events = new List<QmpEvent>();
        await foreach (var happened in Client.Events.ReadAllAsync(Cancellation))
            events.Add(happened);
        events.ShouldContain(e => e.Name == "SHUTDOWN" && e.Data!["reason"]!.GetValue<string>() == "host-qmp-quit");
        await Should.ThrowAsync<IOException>(() => Client.StatusAsync(Cancellation));
    }

    [Fact]
    public async Task A_QEMU_that_is_killed_fails_whoever_waits()
    {
        _qemu!.Signal(9);
        await _qemu.Exited.WaitAsync(Eventually.Limit, Cancellation);
        await Should.ThrowAsync<IOException>(() => Client.StatusAsync(Cancellation));
    }
}

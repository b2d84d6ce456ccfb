using System.Diagnostics;
using System.Globalization;
using System.Text;
using OpenShell.Vm.Events;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Logs;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;
using EventLog = OpenShell.Vm.Events.EventLog;

namespace OpenShell.Vm.Tests.Logs;

public sealed class RotatedLogTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Log => _folder.File("some.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_log_is_rotated_by_size_and_so_many_parts_are_kept()
    {
        var limits = new LogLimits(10, 2);
        for (var round = 0; round < 4; round++)
        {
            File.AppendAllText(Log, $"round {round}, long enough\n");
            LogRotation.Rotate(Log, limits).ShouldBeTrue();
        }

        LogRotation.Rotate(Log, limits).ShouldBeFalse();
        new FileInfo(Log).Length.ShouldBe(0);
        File.ReadAllText(Log + ".1").ShouldStartWith("round 3");
        File.ReadAllText(Log + ".2").ShouldStartWith("round 2");
        Directory.GetFiles(_folder.Path).Length.ShouldBe(3);
    }

    [Fact]
    public void The_console_is_only_cut_under_a_hypervisor_that_is_known_to_go_on_at_the_end_of_the_file()
    {
        var files = _folder.Instance();

        LogKeeper.LogsOf(files, HypervisorNames.Qemu).ShouldContain(files.ConsoleLog);
        LogKeeper.LogsOf(files, HypervisorNames.Libkrun).ShouldNotContain(files.ConsoleLog);
        LogKeeper.LogsOf(files, null).ShouldNotContain(files.ConsoleLog, "it may become libkrun");
        LogKeeper.LogsOf(files, HypervisorNames.Libkrun).ShouldContain(files.KrunLog);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_program_that_appends_goes_on_into_the_log_that_was_cut()
    {
        // As QEMU and gvproxy do: the descriptor is opened once, for appending.
        using var writer = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec >>'{Log}'; while read line; do echo \"$line\"; done"]) { RedirectStandardInput = true })!;
        await SayAsync(writer, "before the rotation");
        LogRotation.Rotate(Log, new LogLimits(5, 1)).ShouldBeTrue();
        await SayAsync(writer, "after");

        File.ReadAllText(Log).ShouldBe("after\n");
        File.ReadAllText(Log + ".1").ShouldBe("before the rotation\n");
        writer.StandardInput.Close();
        await writer.WaitForExitAsync(Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_follows_misses_nothing_and_sees_nothing_twice_over_rotations()
    {
        using var seen = new MemoryStream();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var file = new AppendedFile(Log, new LogLimits(2000, 3));
        file.Append("line 0\n"u8);
        var following = new RotatedLog(Log).CopyAsync(Stream.Synchronized(seen), follow: true, stop.Token);

        // Each round is less than a part, so none is thrown away before it could be read.
        const int Lines = 600;
        for (var line = 1; line <= Lines; line++)
        {
            file.Append(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"line {line}\n")));
            if (line % 100 == 0)
                await WaitAsync(() => Text(seen).EndsWith($"line {line}\n", StringComparison.Ordinal));
        }

        file.Dispose();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(following);
        LogRotation.Parts(Log).ShouldNotBeEmpty();
        Text(seen).ShouldBe(string.Concat(Enumerable.Range(0, Lines + 1).Select(line => $"line {line}\n")));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_log_that_is_begun_anew_is_followed_from_its_beginning()
    {
        using var seen = new MemoryStream();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await File.WriteAllTextAsync(Log, "first boot\n", Token);
        var following = new RotatedLog(Log).CopyAsync(Stream.Synchronized(seen), follow: true, stop.Token);
        await WaitAsync(() => Text(seen) == "first boot\n");

        LogRotation.Remove(Log);
        await File.WriteAllTextAsync(Log, "second boot\n", Token);

        await WaitAsync(() => Text(seen) == "first boot\nsecond boot\n");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(following);
    }

    [Fact]
    public async Task Older_parts_come_first()
    {
        var log = new SupervisorLog(Log, TimeProvider.System, new LogLimits(60, 3));
        for (var i = 0; i < 6; i++)
            log.Say($"step {i}");
        log.Dispose();

        using var all = new MemoryStream();
        await new RotatedLog(Log).CopyAsync(all, follow: false, Token);

        Text(all).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[^6..]).ShouldBe(Enumerable.Range(0, 6).Select(i => $"step {i}"));
    }

    [Fact]
    public async Task Events_are_lines_that_outlive_their_writer()
    {
        using (var log = new EventLog(Log, "box", TimeProvider.System))
            log.Report(EventNames.Starting, "box is being started");
        using (var log = new EventLog(Log, "box", TimeProvider.System))
            log.Report(EventNames.ServiceExited, "etcd ended\nwith code 1", "etcd", "guest.service-ended");

        var lines = new List<InstanceEvent>();
        await using (var stream = new LineStream(line => lines.Add(System.Text.Json.JsonSerializer.Deserialize(line.Span, EventJson.Default.InstanceEvent)!)))
            await new RotatedLog(Log).CopyAsync(stream, follow: false, Token);

        lines.Select(e => (e.Event, e.Severity, e.Subject, e.Fault)).ShouldBe([("instance.starting", EventSeverity.Info, null, null), ("service.exited", EventSeverity.Warning, "etcd", "guest.service-ended")]);
        File.ReadAllText(Log).ShouldContain("\"severity\":\"warning\"");
        File.GetUnixFileMode(Log).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void The_names_of_events_are_what_programs_match_on() => EventNames.All.Keys.Order(StringComparer.Ordinal).ShouldBe(
    [
        "agent.lost", "certificates.renewed", "clock.jumped", "disk.nearly-full", "disk.repaired", "disk.room-again", "forward.added", "forward.lost", "forward.remade", "forward.removed", "gvproxy.ended", "gvproxy.restarted",
        "instance.failed", "instance.ready", "instance.restarted", "instance.resume-failed", "instance.resumed", "instance.starting", "instance.stopped", "instance.stopping", "instance.suspend-failed", "instance.suspended",
        "instance.woken", "machine.ended", "machine.hung", "machine.panicked", "machine.paused", "machine.started", "machine.unpaused",
        "mount.lost", "network.changed", "service.exited", "service.restarted", "shutdown.step",
    ]);

    private async Task SayAsync(Process writer, string line)
    {
        await writer.StandardInput.WriteLineAsync(line);
        await writer.StandardInput.FlushAsync(Token);
        await WaitAsync(() => File.Exists(Log) && File.ReadAllText(Log).EndsWith(line + "\n", StringComparison.Ordinal));
    }

    private static string Text(MemoryStream stream)
    {
        lock (stream)
            return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Token);
    }
}

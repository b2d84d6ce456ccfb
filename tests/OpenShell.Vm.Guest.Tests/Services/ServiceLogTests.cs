using System.Diagnostics;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Tests.Services;

public sealed class ServiceLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task A_log_that_is_too_long_is_cut_and_its_past_kept_while_the_writer_goes_on()
    {
        var log = new ServiceLog("etcd", _folder.Path, limit: 10);

        // As a service's own output: opened once, for appending.
        using var writer = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec >>'{log.Path}'; while read line; do echo \"$line\"; done"]) { RedirectStandardInput = true })!;
        await SayAsync(writer, log, "0123456789ABC");
        log.Rotate();
        new FileInfo(log.Path).Length.ShouldBe(0);
        await SayAsync(writer, log, "after");

        File.ReadAllText(log.Path).ShouldBe("after\n");
        File.ReadAllText(log.Path + ".1").ShouldBe("0123456789ABC\n");
        writer.StandardInput.Close();
        await writer.WaitForExitAsync(Token);
    }

    [Fact]
    public void So_many_parts_are_kept_and_no_more()
    {
        var log = new ServiceLog("etcd", _folder.Path, limit: 10);
        for (var part = 0; part < ServiceLog.Kept + 2; part++)
        {
            File.AppendAllText(log.Path, $"part {part}, long enough");
            log.Rotate();
        }

        Directory.GetFiles(_folder.Path).Length.ShouldBe(ServiceLog.Kept + 1);
        File.ReadAllText($"{log.Path}.{ServiceLog.Kept}").ShouldStartWith("part 2");
    }

    [Fact]
    public void A_short_log_is_left_alone()
    {
        var log = new ServiceLog("etcd", _folder.Path, limit: 10);
        File.WriteAllText(log.Path, "0123456789");
        log.Rotate();
        File.Exists(log.Path + ".1").ShouldBeFalse();
    }

    [Fact]
    public void Its_last_words_are_its_last_bytes()
    {
        var log = new ServiceLog("etcd", _folder.Path);
        log.Tail().ShouldBe("");
        File.WriteAllText(log.Path, "first\nlast words\n");
        log.Tail(11).ShouldBe("last words");
    }

    /// <summary>Has the writer say a line, and waits until it is in the log's own file.</summary>
    private static async Task SayAsync(Process writer, ServiceLog log, string line)
    {
        await writer.StandardInput.WriteLineAsync(line);
        await writer.StandardInput.FlushAsync(Token);
        while (!File.Exists(log.Path) || !File.ReadAllText(log.Path).EndsWith(line + "\n", StringComparison.Ordinal))
            await Task.Delay(5, Token);
    }
}

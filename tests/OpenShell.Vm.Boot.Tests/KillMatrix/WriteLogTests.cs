using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>A power cut loses what it should, and nothing else: what was flushed is there, what was not is as before.</summary>
public sealed class WriteLogTests
{
    [Fact]
    public async Task What_was_flushed_is_there_and_what_was_not_is_as_before()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        using var home = new TestHome();
        var (disk, log) = (Path.Combine(home.Root, "disk.qcow2"), Path.Combine(home.Root, "log"));
        (await HostProgram.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1G"], GatewayCli.Short)).OrFail();
        await IoAsync($"driver=qcow2,file.driver=file,file.filename={disk}", "write -P 1 0 4M", "flush");
        var before = disk + ".before";
        File.Copy(disk, before);
        await using (File.Create(log))
        {
        }

        // Left by "quit", everything is flushed; by "abort", nothing. Without writeback, each write would be.
        await IoAsync($"driver=qcow2,file.driver=blklogwrites,file.file.driver=file,file.file.filename={disk},file.log.driver=file,file.log.filename={log}",
            "write -P 2 0 1M", "write -P 3 512M 1M", "flush", "write -P 4 1M 1M", "write -P 5 600M 1M", "abort");

        var written = WriteLog.Read(log);
        written.Flushed.ShouldBeInRange(1, written.Writes - 1);
        written.Replay(before);
        await IoAsync($"driver=qcow2,file.driver=file,file.filename={before}", "read -P 2 0 1M", "read -P 1 1M 3M", "read -P 3 512M 1M", "read -P 0 600M 1M");

        written.Replay(before, () => true);
        await IoAsync($"driver=qcow2,file.driver=file,file.filename={before}", "read -P 2 0 1M", "read -P 4 1M 1M", "read -P 1 2M 2M", "read -P 3 512M 1M");
    }

    private static async Task IoAsync(string image, params string[] commands)
    {
        var done = await HostProgram.RunAsync("qemu-io", ["-t", "writeback", "--image-opts", image, .. commands.SelectMany(command => (string[])["-c", command])], GatewayCli.Short);
        if (!commands.Contains("abort"))
            done.OrFail();
        done.Out.ShouldNotContain("Pattern verification failed");
        done.Err.ShouldNotContain("failed");
    }
}

using System.Diagnostics;
using System.Globalization;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>What a supervisor keeps, on a file system that is full: a tmpfs in a mount namespace of its own.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task What_a_full_disk_could_not_take_is_written_when_there_is_room_and_ends_nothing_that_is_ready()
    {
        if ((await RunAsync("true")).Code != 0)
            Assert.Skip("this system lets nobody have a mount namespace (unshare -rm)");

        var (code, said, errors) = await RunAsync($"mount -t tmpfs -o size=512k tmpfs '{_folder.Path}'; exec '{Dummy.Path}' fill-disk '{_folder.Path}'");

        code.ShouldBe(0, errors);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[..3].ShouldBe(["refused", "refused", "2"]);
        lines[3..].ShouldBe([.. Enumerable.Range(0, 200).Select(i => string.Create(CultureInfo.InvariantCulture, $"full {i}")), "room"]);
    }

    private static async Task<(int Code, string Out, string Err)> RunAsync(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("unshare", ["-rm", "sh", "-ec", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await errors);
    }
}

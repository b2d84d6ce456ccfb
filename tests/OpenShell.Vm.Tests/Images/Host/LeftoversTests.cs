using System.Diagnostics;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Tests.Images.Host;

public sealed class LeftoversTests
{
    [Fact]
    public async Task Tools_of_a_killed_build_are_ended_with_their_descendants_and_nobody_else_is()
    {
        var mark = "TMPDIR=/tmp/" + Guid.NewGuid().ToString("N");
        using var ours = Start(mark);
        using var other = Start(mark + "-other");
        var child = int.Parse((await ours.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!, System.Globalization.CultureInfo.InvariantCulture);
        await other.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await Leftovers.EndAsync(mark, TestContext.Current.CancellationToken);

        ours.WaitForExit(TimeSpan.FromSeconds(10)).ShouldBeTrue();
        (!Directory.Exists($"/proc/{child}") || File.ReadAllText($"/proc/{child}/status").Contains("State:\tZ", StringComparison.Ordinal)).ShouldBeTrue();
        other.HasExited.ShouldBeFalse();
        other.Kill(entireProcessTree: true);
    }

    // The child has an environment of its own, as what mmdebstrap starts has.
    private static Process Start(string variable)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "env --ignore-environment sleep 600 & echo $!; wait"]) { RedirectStandardOutput = true };
        start.Environment["TMPDIR"] = variable["TMPDIR=".Length..];
        return Process.Start(start)!;
    }
}

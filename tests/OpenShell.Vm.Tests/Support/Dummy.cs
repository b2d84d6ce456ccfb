using System.Diagnostics;

namespace OpenShell.Vm.Tests.Support;

/// <summary>The dummy program (tests/OpenShell.Vm.Dummy), built beside this one.</summary>
internal static class Dummy
{
    internal static string Path { get; } = AppContext.BaseDirectory.Replace("/OpenShell.Vm.Tests/", "/OpenShell.Vm.Dummy/", StringComparison.Ordinal) + "OpenShell.Vm.Dummy";

    internal static Process Start(params string[] arguments)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(Path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true },
        };
        process.Start();
        return process;
    }

    internal static async Task<string> LineAsync(this Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Limit) ?? throw new EndOfStreamException("The dummy ended without a word.");
}

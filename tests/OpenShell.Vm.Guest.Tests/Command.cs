using System.Diagnostics;

namespace OpenShell.Vm.Guest.Tests;

/// <summary>A real program of the machine that runs the tests.</summary>
internal static class Command
{
    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

    /// <summary>Runs it; skips the test when the machine lacks it.</summary>
    public static (int Code, string Output) Run(string program, params string[] arguments)
    {
        var path = Folders.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
        if (path is null)
            Assert.Skip($"{program} is not installed");
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit(60_000).ShouldBeTrue();
        return (process.ExitCode, output + errors.Result);
    }
}

using System.Diagnostics;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Tests.Images;

/// <summary>Runs programs of the host against what we made: they, not we, say whether it is right.</summary>
internal static class HostTool
{
    /// <summary>The program's stdout. Skips the test where the host has no such program.</summary>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string? stdinFile = null)
    {
        using var process = Start(program, arguments);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (stdinFile is not null)
        {
            await using var input = File.OpenRead(stdinFile);
            await input.CopyToAsync(process.StandardInput.BaseStream, TestContext.Current.CancellationToken);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, await errors);
        return await output;
    }

    /// <summary>Starts a program. Skips the test where the host has no such program.</summary>
    public static Process Start(string program, IReadOnlyList<string> arguments)
    {
        if (RuntimeTools.FindProgram(program) is not { } path)
        {
            Assert.Skip($"{program} is not on this host");
            throw new UnreachableException();
        }

        return Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}

using System.Text;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

internal static class GuestProcessExtensions
{
    /// <summary>Runs <c>/bin/sh -c</c> to its end.</summary>
    public static Task<(int Code, string Out, string Error)> ShellAsync(this IGuestAgent agent, string script, bool terminal = false) =>
        agent.RunAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", script], Terminal = terminal });

    /// <summary>Runs a program to its end, with its input.</summary>
    public static async Task<(int Code, string Out, string Error)> RunAsync(this IGuestAgent agent, ExecRequest request, byte[]? input = null)
    {
        var token = TestContext.Current.CancellationToken;
        await using var process = await agent.ExecAsync(request with { Stdin = input is not null }, token);
        var output = new StreamReader(process.Stdout).ReadToEndAsync(token);
        var error = new StreamReader(process.Stderr).ReadToEndAsync(token);
        if (input is not null)
        {
            await process.Stdin.WriteAsync(input, token);
            await process.Stdin.DisposeAsync();
        }
        var result = await process.Completion.WaitAsync(token);
        return (result.ExitCode, await output, result.Error ?? await error);
    }

    /// <summary>Reads until the text has come.</summary>
    public static async Task<string> ReadUntilAsync(this Stream stream, string text)
    {
        var seen = new StringBuilder();
        var buffer = new byte[4096];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            count.ShouldBeGreaterThan(0, $"'{text}' did not come, only '{seen}'");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return seen.ToString();
    }
}

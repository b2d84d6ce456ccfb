using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Testing;

/// <summary>How a program in the machine ended, and what it wrote.</summary>
/// <param name="Command">What ran.</param>
/// <param name="ExitCode">As a shell has it: 126 cannot be executed, 127 not found, 128 + n ended by signal n.</param>
/// <param name="Stdout">What it wrote, as UTF-8.</param>
/// <param name="Stderr">The same of its other output; why it did not run, where it did not.</param>
public sealed record ExecOutput(string Command, int ExitCode, string Stdout, string Stderr)
{
    /// <summary>This, if it ended with 0.</summary>
    /// <exception cref="FaultException">It did not (<c>testing.program-failed</c>); says what it wrote.</exception>
    public ExecOutput EnsureSuccess() => ExitCode == 0
        ? this
        : throw new FaultException(new Fault
        {
            Code = "testing.program-failed",
            What = $"'{Command}' ended with {ExitCode} in the machine: {(Stderr.Trim() is { Length: > 0 } said ? said : Stdout.Trim())}",
            Remedy = "See what it wrote; ExecAsync takes what a shell on the machine would.",
        });

    /// <summary>Runs a program to its end.</summary>
    internal static async Task<ExecOutput> RunAsync(IGuestAgent agent, ExecRequest request, CancellationToken cancellationToken)
    {
        // Nobody writes to it: a program that reads gets end-of-file.
        request = request with { Stdin = false };
        await using var process = await agent.ExecAsync(request, cancellationToken).ConfigureAwait(false);

        // Both at once: a program that fills one waits for its reader.
        var output = ReadAsync(process.Stdout, cancellationToken);
        var errors = ReadAsync(process.Stderr, cancellationToken);
        await Task.WhenAll(output, errors).ConfigureAwait(false);
        var result = await process.Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new ExecOutput(string.Join(' ', [request.Program, .. request.Arguments]), result.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false) + result.Error);
    }

    private static async Task<string> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }
}

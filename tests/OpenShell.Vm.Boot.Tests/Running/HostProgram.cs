using System.Diagnostics;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>Runs programs on the host, as a user's shell would, but never for longer than they may take.</summary>
internal static class HostProgram
{
    /// <summary>Starts one with all its streams redirected. <paramref name="environment"/> comes over the test's own; a null value takes a variable away.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }
        return Process.Start(start) ?? throw new InvalidOperationException(program + " was not started.");
    }

    /// <summary>Runs one to its end.</summary>
    /// <exception cref="TimeoutException">It took too long; it has been killed, and what it said is in the message.</exception>
    public static async Task<Finished> RunAsync(string program, IReadOnlyList<string> arguments, TimeSpan timeout, IReadOnlyDictionary<string, string?>? environment = null, byte[]? input = null)
    {
        var clock = Stopwatch.StartNew();
        using var process = Start(program, arguments, environment);
        return await EndAsync(process, Line(program, arguments), timeout, clock, input ?? []);
    }

    /// <summary>Waits for the end of a program whose output nobody else reads.</summary>
    public static Task<Finished> EndAsync(Process process, TimeSpan timeout) =>
        EndAsync(process, process.StartInfo.FileName, timeout, Stopwatch.StartNew(), []);

    private static async Task<Finished> EndAsync(Process process, string line, TimeSpan timeout, Stopwatch clock, byte[] input)
    {
        using var output = new MemoryStream();
        using var errors = new MemoryStream();
        var streams = Task.WhenAll(
            FeedAsync(process, input),
            process.StandardOutput.BaseStream.CopyToAsync(output),
            process.StandardError.BaseStream.CopyToAsync(errors));
        try
        {
            await Task.WhenAll(streams, process.WaitForExitAsync(CancellationToken.None)).WaitAsync(timeout, TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw new TimeoutException("Not done in time: " + new Finished(line, process.ExitCode, output.ToArray(), errors.ToArray(), clock.Elapsed), e);
        }
        return new Finished(line, process.ExitCode, output.ToArray(), errors.ToArray(), clock.Elapsed);
    }

    private static async Task FeedAsync(Process process, byte[] input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want all of it.
        }
    }

    private static string Line(string program, IReadOnlyList<string> arguments) =>
        string.Join(' ', arguments.Prepend(Path.GetFileName(program)).Select(word => word.Contains(' ', StringComparison.Ordinal) ? $"'{word}'" : word));
}

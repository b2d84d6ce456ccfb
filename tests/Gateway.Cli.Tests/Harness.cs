using System.Diagnostics;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>What a finished command left.</summary>
public sealed record CommandResult(int ExitCode, string Out, string Error);

/// <summary>Runs the real command, or its dummy whose machines are made up, as processes in a home of their own.</summary>
public sealed class Harness : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    public Harness() => Home = Directory.CreateTempSubdirectory("gw").FullName;

    public string Home { get; }

    public string Journal => Path.Combine(Home, "journal");

    public string JournalText => File.Exists(Journal) ? File.ReadAllText(Journal) : "";

    public static string Gateway => Path.Combine(AppContext.BaseDirectory, "gateway");

    public static string Dummy => Path.Combine(AppContext.BaseDirectory, "gateway-dummy");

    public Task<CommandResult> GatewayAsync(params string[] arguments) => RunAsync(Gateway, arguments);

    public Task<CommandResult> DummyAsync(params string[] arguments) => RunAsync(Dummy, arguments);

    public async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, string? stdin = null, Action<IDictionary<string, string?>>? environment = null)
    {
        using var process = Start(program, arguments, environment);
        return await FinishAsync(process, stdin);
    }

    public Process Start(string program, IEnumerable<string> arguments, Action<IDictionary<string, string?>>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Home,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("XDG_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment.Remove("NO_COLOR");
        start.Environment.Remove("OPENSHELL_VM_COMMAND");
        start.Environment.Remove("KUBECONFIG");
        start.Environment["HOME"] = Home;
        start.Environment["DUMMY_JOURNAL"] = Journal;
        environment?.Invoke(start.Environment);
        return Process.Start(start)!;
    }

    public static async Task<CommandResult> FinishAsync(Process process, string? stdin = null)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.StandardInput.WriteAsync(stdin);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} did not end.");
        }
    }

    /// <summary>Waits until the dummy has written that.</summary>
    public async Task JournalHasAsync(string line)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!JournalText.Split('\n').Contains(line))
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"The journal never said '{line}':\n{JournalText}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    public static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}

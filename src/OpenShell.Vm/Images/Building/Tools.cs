using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Images.Building;

/// <summary>Runs tools of the host: their output goes to one log, their command lines are remembered for the provenance.</summary>
internal sealed partial class Tools(string logFile)
{
    // How long a tool may take to clean up after itself (mmdebstrap unmounts and removes its folder) before it is killed.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private const int Terminate = 15; // SIGTERM

    private readonly List<string> _commands = [];
    private readonly Lock _logLock = new();
    private bool _logStarted;

    /// <summary>The log's path.</summary>
    public string LogFile { get; } = logFile;

    /// <summary>Every command line that was run through this, in order.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (_commands)
                return [.. _commands];
        }
    }

    /// <summary>Runs a tool to its end and returns what it wrote to stdout, which is logged too.</summary>
    /// <exception cref="ToolFailedException">It ended with a code other than 0; it has what the tool said last, on stdout if it said nothing on stderr.</exception>
    public async Task<string> RunAsync(ToolCommand command, CancellationToken cancellationToken, Action<string>? onErrorLine = null, Action<string>? onLine = null)
    {
        var text = new StringBuilder();
        var tail = new Tail();
        try
        {
            await RunAsync(command, null, async (stdout, token) =>
            {
                using var reader = new StreamReader(stdout, Encoding.UTF8);
                while (await reader.ReadLineAsync(token).ConfigureAwait(false) is { } line)
                {
                    text.Append(line).Append('\n');
                    tail.Add(line);
                    Log(line);
                    onLine?.Invoke(line);
                }
            }, cancellationToken, onErrorLine).ConfigureAwait(false);
        }
        catch (ToolFailedException e) when (e.LastLines.Count == 0)
        {
            throw new ToolFailedException(command, e.ExitCode, tail.Lines); // the .NET SDK tells its errors on stdout
        }

        return text.ToString();
    }

    /// <summary>Runs a tool with its stdin written by one function and its stdout read by another.</summary>
    /// <exception cref="ToolFailedException">It ended with a code other than 0.</exception>
    public async Task RunAsync(
        ToolCommand command, Func<Stream, CancellationToken, Task>? input, Func<Stream, CancellationToken, Task> output, CancellationToken cancellationToken, Action<string>? onErrorLine = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (command.Recorded)
        {
            lock (_commands)
                _commands.Add(command.ToString());
        }

        Log("$ " + command);
        var lastLines = new Tail();
        using var process = Start(command, input is not null);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var onCancel = cancellationToken.Register(() => EndSoon(process, command.Abrupt)).ConfigureAwait(false);

        // The pipes are drained even after a cancellation: the tool may still write while it cleans up, and ends when it has.
        var errors = ReadErrorsAsync();
        var outputs = GuardAsync(() => output(process.StandardOutput.BaseStream, CancellationToken.None));
        var inputs = input is null ? Task.CompletedTask : GuardAsync(async () =>
        {
            await using var stdin = process.StandardInput.BaseStream;
            await input(stdin, broken.Token).ConfigureAwait(false);
        });
        try
        {
            await Task.WhenAll(errors, outputs).ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
                throw new ToolFailedException(command, process.ExitCode, lastLines.Lines);
        }
        catch
        {
            await broken.CancelAsync().ConfigureAwait(false);
            await inputs.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await inputs.ConfigureAwait(false);

        async Task ReadErrorsAsync()
        {
            while (await process.StandardError.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                Log(line);
                lastLines.Add(line);
                onErrorLine?.Invoke(line);
            }
        }

        // If our own end fails (disk full while writing what the tool sends), the tool would wait for us for ever.
        async Task GuardAsync(Func<Task> action)
        {
            try
            {
                await action().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // A tool that ended early breaks its stdin; its exit code says more than that.
                if (e is not IOException { HResult: BrokenPipe })
                    EndSoon(process, command.Abrupt);
                if (!(e is IOException && process.WaitForExit(Grace) && process.ExitCode != 0))
                    throw;
            }
        }
    }

    private const int BrokenPipe = 32; // EPIPE

    private static Process Start(ToolCommand command, bool stdin)
    {
        var path = Path.IsPathRooted(command.Program) ? command.Program : RuntimeTools.FindProgram(command.Program);
        if (path is null)
            throw HostPackages.MissingTool(command.Program);
        var start = new ProcessStartInfo
        {
            FileName = path,
            WorkingDirectory = command.Folder ?? "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (command.Background && RuntimeTools.FindProgram("nice") is { } nice)
        {
            start.FileName = nice;
            foreach (var argument in (string[])["-n", "10", path])
                start.ArgumentList.Add(argument);
        }

        foreach (var argument in command.Arguments)
            start.ArgumentList.Add(argument);

        // Messages are read, by people and by us: one language. sbin: an ordinary user's PATH lacks it, and dpkg insists on it.
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        try
        {
            var process = Process.Start(start) ?? throw new InvalidOperationException(path);
            if (!stdin)
                process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            throw ImageFaults.Make("image.tool-failed", $"{path} could not be started: {e.Message}", $"Check that it can be executed; '{HostSetup.SetupCommand}' installs what is needed.", cause: e);
        }
    }

    // Politely at first: mmdebstrap and apt clean up after themselves on SIGTERM.
    private static void EndSoon(Process process, bool abrupt)
    {
        try
        {
            if (process.HasExited)
                return;
            if (abrupt)
            {
                process.Kill(entireProcessTree: true);
                return;
            }

            _ = Kill(process.Id, Terminate);
            _ = Task.Run(() =>
            {
                try
                {
                    if (!process.WaitForExit(Grace))
                        process.Kill(entireProcessTree: true);
                }
                catch (Exception e) when (e is InvalidOperationException or Win32Exception or ObjectDisposedException)
                {
                }
            });
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended by itself in the meantime.
        }
    }

    /// <summary>Adds a line to the log.</summary>
    public void Log(string line)
    {
        lock (_logLock)
        {
            if (_logStarted)
            {
                File.AppendAllText(LogFile, line + "\n");
            }
            else
            {
                Directory.CreateDirectory(Path.GetDirectoryName(LogFile)!);
                File.WriteAllText(LogFile, line + "\n"); // the last run's log is of no more use
                _logStarted = true;
            }
        }
    }

    // What a tool said last, for messages.
    private sealed class Tail
    {
        private const int Kept = 12;

        private readonly Queue<string> _lines = new();

        public IReadOnlyList<string> Lines => [.. _lines];

        public void Add(string line)
        {
            if (line.Length == 0)
                return;
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
                _lines.Dequeue();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}

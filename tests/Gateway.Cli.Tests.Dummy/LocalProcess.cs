using System.ComponentModel;
using System.Diagnostics;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>A process of this host in the role of one in the guest.</summary>
internal sealed class LocalProcess : IGuestProcess
{
    private readonly Process? _process;
    private readonly Journal _journal;

    public LocalProcess(ExecRequest request, Journal journal)
    {
        _journal = journal;
        var start = new ProcessStartInfo(request.Program, request.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = request.WorkingDirectory ?? "/",
        };
        foreach (var variable in request.Environment)
            start.Environment[variable.Split('=')[0]] = variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..];
        journal.Write($"exec {request.Program} terminal={request.Terminal} stdin={request.Stdin} size={request.Size?.Columns}x{request.Size?.Rows}");
        try
        {
            _process = Process.Start(start)!;
            if (!request.Stdin)
                _process.StandardInput.Close();
            Completion = CompleteAsync(_process);
        }
        catch (Win32Exception e)
        {
            // execve's errno, as a shell reports it.
            const int noSuchFile = 2;
            Completion = Task.FromResult(new ExecResult { ExitCode = e.NativeErrorCode == noSuchFile ? 127 : 126, Error = e.NativeErrorCode == noSuchFile ? "not found" : "not executable" });
        }
    }

    public Stream Stdin => _process?.StandardInput.BaseStream ?? Stream.Null;

    public Stream Stdout => _process?.StandardOutput.BaseStream ?? Stream.Null;

    public Stream Stderr => _process?.StandardError.BaseStream ?? Stream.Null;

    public Task<ExecResult> Completion { get; }

    public Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default)
    {
        _journal.Write($"resize {size.Columns}x{size.Rows}");
        return Task.CompletedTask;
    }

    public async Task SignalAsync(int signal, CancellationToken cancellationToken = default)
    {
        _journal.Write($"signal {signal}");
        if (_process is not null)
            await Process.Start("kill", [$"-{signal}", $"{_process.Id}"]).WaitForExitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _journal.Write("killed");
        }

        _process?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<ExecResult> CompleteAsync(Process process)
    {
        await process.WaitForExitAsync();
        return new ExecResult { ExitCode = process.ExitCode };
    }
}

using System.Buffers;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>A program that runs for the host, with this process's ends of its pipes or its terminal.</summary>
internal sealed class ExecSession : IDisposable
{
    /// <summary>More than a terminal's buffers hold (64 KiB, tty_buffer.c): what is read of one at most after its program ended.</summary>
    private const int TerminalDrain = 128 * 1024;

    private readonly ExecStdio _stdio;

    private ExecSession(ChildProcess process, ExecStdio stdio)
    {
        Process = process;
        _stdio = stdio;
    }

    /// <summary>By which the host names it.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    public ChildProcess Process { get; }

    /// <exception cref="SpawnException">It did not start.</exception>
    public static ExecSession Start(ProcessLauncher launcher, ExecRequest request, IReadOnlyList<string> environment)
    {
        var stdio = ExecStdio.Open(request);
        try
        {
            var process = launcher.Start(stdio.Apply(new SpawnSpec
            {
                Program = request.Program,
                Arguments = request.Arguments,
                Environment = ExecEnvironment.Merge(environment, request),
                WorkingDirectory = request.WorkingDirectory ?? "/",
            }));
            stdio.CloseChildEnds();
            return new ExecSession(process, stdio);
        }
        catch
        {
            stdio.Dispose();
            throw;
        }
    }

    /// <summary>Carries bytes until the program has ended and its output is sent; kills it when the host loses interest.</summary>
    public async Task RunAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        using var kill = cancellationToken.UnsafeRegister(static process => ((ChildProcess)process!).SignalGroup(Libc.SIGKILL), Process);
        await stream.WriteAsync(MessageKinds.Started, new ExecStarted(Id, Process.Pid), ProtocolJson.Default.ExecStarted, cancellationToken).ConfigureAwait(false);
        using var exited = new CancellationTokenSource();
        var feeding = FeedAsync(stream, exited.Token);
        var stdout = PumpAsync(_stdio.Stdout, stream, MessageKinds.Stdout, exited.Token);
        var stderr = _stdio.Stderr is null ? Task.CompletedTask : PumpAsync(_stdio.Stderr, stream, MessageKinds.Stderr, exited.Token);
        var status = await Process.Exit.ConfigureAwait(false);
        await exited.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(stdout, stderr, feeding).ConfigureAwait(false);
        await stream.WriteAsync(MessageKinds.Exit, new ExecResult { ExitCode = status.ShellCode }, ProtocolJson.Default.ExecResult, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does nothing without a terminal.</summary>
    public void Resize(TerminalSize size) => _stdio.Resize(size);

    /// <summary>Kills the program if it still runs.</summary>
    public void Dispose()
    {
        Process.SignalGroup(Libc.SIGKILL);
        _stdio.Dispose();
    }

    /// <summary>
    /// Sends what the program writes. Once it has ended, only what is there is still sent: a grandchild may hold the other end for ever.
    /// </summary>
    private async Task PumpAsync(FdStream source, MuxStream stream, byte kind, CancellationToken exited)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.MaxPayload);
        try
        {
            if (!await SendUntilEndAsync(source, stream, kind, buffer, exited).ConfigureAwait(false))
                await SendRestAsync(source, stream, kind, buffer).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary><see langword="true"/> at the end of the source, <see langword="false"/> when the program ended before.</summary>
    private static async Task<bool> SendUntilEndAsync(FdStream source, MuxStream stream, byte kind, byte[] buffer, CancellationToken exited)
    {
        try
        {
            while (!exited.IsCancellationRequested)
            {
                var count = await source.ReadAsync(buffer.AsMemory(0, ProtocolLimits.MaxPayload), exited).ConfigureAwait(false);
                if (count == 0)
                    return true;
                await stream.WriteAsync(kind, buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // It ended while there was nothing to read.
        }
        return false;
    }

    private async Task SendRestAsync(FdStream source, MuxStream stream, byte kind, byte[] buffer)
    {
        for (var left = _stdio.IsTerminal ? TerminalDrain : source.Available; left > 0;)
        {
            if (source.TryRead(buffer.AsSpan(0, Math.Min(left, ProtocolLimits.MaxPayload))) is not (> 0 and var count))
                return;
            await stream.WriteAsync(kind, buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
            left -= count;
        }
    }

    /// <summary>Takes stdin from the host until its end or the program's. A program that closed its stdin just gets no more.</summary>
    private async Task FeedAsync(MuxStream stream, CancellationToken exited)
    {
        try
        {
            var atLineStart = true;
            while (await stream.ReadAsync(exited).ConfigureAwait(false) is { } message)
            {
                using (message)
                {
                    if (message.Kind != MessageKinds.Stdin || _stdio.Stdin is null)
                        throw ServiceJson.Invalid(stream.Service, $"a message of kind {message.Kind}.");
                    if (message.Payload.Length == 0)
                        continue;
                    atLineStart = message.Payload.Span[^1] == (byte)'\n';
                    await WriteStdinAsync(message.Payload, exited).ConfigureAwait(false);
                }
            }
            if (_stdio.Stdin is null)
                return;
            if (!_stdio.IsTerminal)
                await _stdio.Stdin.DisposeAsync().ConfigureAwait(false);
            else // A terminal has no end: type Ctrl-D, which ends a read; within a line the first only ends the line (termios(3), VEOF).
                await WriteStdinAsync(atLineStart ? new byte[] { 4 } : new byte[] { 4, 4 }, exited).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The program ended first.
        }
        catch
        {
            // The host is gone, or sends nonsense: without it the program is of no use.
            Process.SignalGroup(Libc.SIGKILL);
            throw;
        }
    }

    private async Task WriteStdinAsync(ReadOnlyMemory<byte> bytes, CancellationToken exited)
    {
        try
        {
            await _stdio.Stdin!.WriteAsync(bytes, exited).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // EPIPE: it is thrown away, as in a shell's pipeline.
        }
    }
}

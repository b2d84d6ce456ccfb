using System.Runtime.InteropServices;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>Joins a program in the guest to this process: its streams, its terminal's size, its signals, its exit code.</summary>
internal sealed class GuestProgram(IGuestProcess process, ExecRequest request) : IDisposable
{
    private const int BufferSize = 64 * 1024;

    /// <summary>How often Ctrl-C is passed on before it ends this side, should the program not care: as docker does.</summary>
    private const int PatienceWithInterrupts = 3;

    /// <summary>How long a program may go on whose output nobody reads.</summary>
    private static readonly TimeSpan AfterBrokenPipe = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _abandoned = new();
    private int _interrupts;

    // What this side says when it does not wait for the program any longer.
    private int _exitCodeIfAbandoned;

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="Vm.Faults.FaultException">The channel to it was lost.</exception>
    public async Task<ExecResult> RunAsync(Stream stdin, Stream stdout, Stream stderr)
    {
        // Writing to a slow reader blocks a thread; the agent channel must not wait for the pool to notice.
        ThreadPool.SetMinThreads(8, 4);
        using var raw = request is { Terminal: true, Stdin: true } ? RawTerminal.TryEnter() : null;
        PosixSignalRegistration[] signals = [.. Signals(raw)];
        try
        {
            if (request.Stdin)
                _ = PumpInputAsync(stdin);
            await Task.WhenAll(PumpOutputAsync(process.Stdout, stdout), PumpOutputAsync(process.Stderr, stderr));
            return await process.Completion.WaitAsync(_abandoned.Token);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            return new ExecResult { ExitCode = _exitCodeIfAbandoned };
        }
        finally
        {
            foreach (var signal in signals)
                signal.Dispose();
            await _abandoned.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _abandoned.Dispose();

    private IEnumerable<PosixSignalRegistration> Signals(RawTerminal? raw)
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
            yield return PosixSignalRegistration.Create(signal, PassOn);
        if (!request.Terminal)
            yield break;
        yield return PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Resize());
        yield return PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
        {
            raw?.Enter();
            Resize();
        });
    }

    private void PassOn(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && Interlocked.Increment(ref _interrupts) >= PatienceWithInterrupts)
            Abandon(LinuxSignals.Interrupt, TimeSpan.Zero);
        else
            Forget(process.SignalAsync(LinuxSignals.Number(context.Signal), _abandoned.Token));
    }

    private void Resize()
    {
        if (ProgramOptions.CurrentSize() is { } size)
            Forget(process.ResizeAsync(size, _abandoned.Token));
    }

    private async Task PumpInputAsync(Stream source)
    {
        try
        {
            await source.CopyToAsync(process.Stdin, BufferSize, _abandoned.Token);
            await process.Stdin.DisposeAsync();
        }
#pragma warning disable CA1031 // the program closed its stdin, or is gone, or ours cannot be read: its exit code will tell
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private async Task PumpOutputAsync(Stream source, Stream destination)
    {
        var buffer = new byte[BufferSize];
        int count;
        while ((count = await source.ReadAsync(buffer, _abandoned.Token)) > 0)
        {
            try
            {
                await destination.WriteAsync(buffer.AsMemory(0, count), _abandoned.Token);
            }
            catch (BrokenPipeException)
            {
                // "gateway exec -- yes | head -1": tell the program what a local one would be told, and take what still comes.
                Forget(process.SignalAsync(LinuxSignals.Pipe, _abandoned.Token));
                Abandon(LinuxSignals.Pipe, AfterBrokenPipe);
                destination = Stream.Null;
            }
        }
    }

    private void Abandon(int signal, TimeSpan after)
    {
        _exitCodeIfAbandoned = ExitCodes.Signal(signal);
        _abandoned.CancelAfter(after);
    }

    // What cannot be delivered has no receiver any more; the end of the program is seen elsewhere.
    private static void Forget(Task task) => task.ContinueWith(t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}

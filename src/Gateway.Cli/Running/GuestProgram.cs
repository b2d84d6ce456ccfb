using System.Runtime.InteropServices;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>Runs a program in the guest joined to this process: its streams, its terminal's size, its signals, its exit code.</summary>
internal sealed class GuestProgram(ExecRequest request) : IDisposable
{
    private const int BufferSize = 64 * 1024;

    /// <summary>How often Ctrl-C is passed on before it ends this side, should the program not care: as docker does.</summary>
    private const int PatienceWithInterrupts = 3;

    /// <summary>How long a program may go on whose output nobody reads.</summary>
    private static readonly TimeSpan AfterBrokenPipe = TimeSpan.FromSeconds(5);

    // Signals that come before the program is there wait for it.
    private readonly TaskCompletionSource<IGuestProcess> _process = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _abandoned = new();
    private int _interrupts;

    // What this side says when it does not wait for the program any longer.
    private int _exitCodeIfAbandoned;

    /// <summary>Starts it and runs it to its end.</summary>
    /// <param name="start">Starts it.</param>
    /// <param name="stdin">Read to its end, if the request says so.</param>
    /// <param name="stdout">Takes its output.</param>
    /// <param name="stderr">Takes its errors.</param>
    /// <exception cref="Vm.Faults.FaultException">It could not be asked for, or the channel to it was lost.</exception>
    public async Task<ExecResult> RunAsync(Func<Task<IGuestProcess>> start, Stream stdin, Stream stdout, Stream stderr)
    {
        // Writing to a slow reader blocks a thread; the agent channel must not wait for the pool to notice.
        ThreadPool.SetMinThreads(8, 4);

        // In this order: a signal must never end this process while the terminal is raw; and the terminal is raw before the program runs, so that
        // what is typed early is neither echoed twice nor kept back for a line feed.
        RawTerminal? raw = null;
        PosixSignalRegistration[] signals = [.. Signals(() => raw?.Enter())];
        try
        {
            raw = RawTerminal.EnterFor(request);
            await using var process = await start();
            _process.SetResult(process);
            return await RunAsync(process, stdin, stdout, stderr);
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            return new ExecResult { ExitCode = _exitCodeIfAbandoned };
        }
        finally
        {
            raw?.Dispose();
            foreach (var signal in signals)
                signal.Dispose();
            await _abandoned.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _abandoned.Dispose();

    private async Task<ExecResult> RunAsync(IGuestProcess process, Stream stdin, Stream stdout, Stream stderr)
    {
        if (request.Stdin)
            _ = PumpInputAsync(stdin, process.Stdin);
        await Task.WhenAll(PumpOutputAsync(process.Stdout, stdout), PumpOutputAsync(process.Stderr, stderr));
        return await process.Completion.WaitAsync(_abandoned.Token);
    }

    private IEnumerable<PosixSignalRegistration> Signals(Action onContinue)
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
            yield return PosixSignalRegistration.Create(signal, PassOn);
        if (!request.Terminal)
            yield break;
        yield return PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Resize());
        yield return PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
        {
            onContinue();
            Resize();
        });
    }

    private void PassOn(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && Interlocked.Increment(ref _interrupts) >= PatienceWithInterrupts)
            Abandon(LinuxSignals.Interrupt, TimeSpan.Zero);
        else
            Tell(process => process.SignalAsync(LinuxSignals.Number(context.Signal), _abandoned.Token));
    }

    private void Resize()
    {
        if (ProgramOptions.CurrentSize() is { } size)
            Tell(process => process.ResizeAsync(size, _abandoned.Token));
    }

    private async Task PumpInputAsync(Stream source, Stream destination)
    {
        try
        {
            await source.CopyToAsync(destination, BufferSize, _abandoned.Token);
            await destination.DisposeAsync();
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
                Tell(process => process.SignalAsync(LinuxSignals.Pipe, _abandoned.Token));
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

    private void Tell(Func<IGuestProcess, Task> what)
    {
        _ = TellAsync();

        async Task TellAsync()
        {
            try
            {
                await what(await _process.Task);
            }
#pragma warning disable CA1031 // what cannot be delivered has no receiver any more; the end of the program is seen elsewhere
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }
}

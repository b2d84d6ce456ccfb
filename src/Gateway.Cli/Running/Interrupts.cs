using System.Runtime.InteropServices;
using OpenShell.Gateway.Cli.Terminals;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>
/// What the user means by signals while something long is under way. The first SIGINT, SIGTERM or SIGHUP asks for an orderly end. Another
/// SIGINT means now; other signals are never counted as impatience, since a closing terminal sends several. A third SIGINT is left to the
/// system, which ends the process whatever it is doing.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly CancellationTokenSource _orderly = new();
    private readonly CancellationTokenSource _now = new();
    private int _firstSignal;

    /// <summary>Begins to listen.</summary>
    public Interrupts() =>
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, Handle))];

    /// <summary>Cancelled when an orderly end is asked for.</summary>
    public CancellationToken Orderly => _orderly.Token;

    /// <summary>Cancelled when it has to be now.</summary>
    public CancellationToken Now => _now.Token;

    /// <summary>The number of the first signal; <see langword="null"/> while there was none.</summary>
    public int? Signal => Volatile.Read(ref _firstSignal) is var signal and not 0 ? signal : null;

    /// <summary>Runs something that can be interrupted; its exit code is then 128 and the signal's number.</summary>
    public static async Task<int> GuardAsync(Func<CancellationToken, Task<int>> work)
    {
        using var interrupts = new Interrupts();
        try
        {
            return await work(interrupts.Orderly);
        }
        catch (OperationCanceledException) when (interrupts.Signal is not null)
        {
            return ExitCodes.Signal(interrupts.Signal.Value);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _firstSignal, LinuxSignals.Number(context.Signal), 0) == 0)
            _ = _orderly.CancelAsync();
        else if (context.Signal == PosixSignal.SIGINT && !_now.IsCancellationRequested)
            _ = _now.CancelAsync();
        else if (context.Signal == PosixSignal.SIGINT)
            context.Cancel = false;
    }
}

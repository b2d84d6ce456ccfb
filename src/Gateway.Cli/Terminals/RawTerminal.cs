using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Terminals;

/// <summary>
/// The terminal on stdin in raw mode: keys go to the program in the guest as they are pressed, Ctrl-C among them. The old settings come back
/// when this is disposed, and also when the process exits by any path that runs handlers at all.
/// </summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly byte[] _before;
    private int _restored;

    private RawTerminal(byte[] before)
    {
        _before = before;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        Enter();
    }

    /// <summary>Makes the terminal on stdin raw, if that is where the program's keys come from; else <see langword="null"/>.</summary>
    public static RawTerminal? EnterFor(ExecRequest request) => request is { Terminal: true, Stdin: true } && LibC.GetSettings(LibC.Stdin) is { } settings ? new RawTerminal(settings) : null;

    /// <summary>Once more: a shell gives its own settings to a job that it continues.</summary>
    public void Enter() => LibC.Apply(LibC.Stdin, LibC.MakeRaw(_before));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _restored, 1) != 0)
            return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        LibC.Apply(LibC.Stdin, _before);
    }

    private void OnExit(object? sender, EventArgs e) => Dispose();
}

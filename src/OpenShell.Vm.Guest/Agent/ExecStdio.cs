using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>What joins a program to this process: pipes, or a pseudo terminal. Both sides' ends until <see cref="CloseChildEnds"/>.</summary>
internal sealed class ExecStdio : IDisposable
{
    private readonly List<IDisposable> _ends = [];
    private readonly List<SafeFileHandle> _childEnds = [];
    private PseudoTerminal? _terminal;

    private ExecStdio()
    {
    }

    /// <summary>Where the program's input is written; <see langword="null"/>: it reads end-of-file at once or, on a terminal, nothing is ever typed.</summary>
    public FdStream? Stdin { get; private set; }

    /// <summary>Where its stdout is read, or its terminal.</summary>
    public FdStream Stdout { get; private set; } = null!;

    /// <summary>Where its stderr is read; <see langword="null"/> with a terminal.</summary>
    public FdStream? Stderr { get; private set; }

    public bool IsTerminal => _terminal is not null;

    /// <exception cref="SpawnException">No descriptor or terminal is to be had.</exception>
    public static ExecStdio Open(ExecRequest request)
    {
        var stdio = new ExecStdio();
        try
        {
            if (request.Terminal)
                stdio.OpenTerminal(request);
            else
                stdio.OpenPipes(request.Stdin);
            return stdio;
        }
        catch
        {
            stdio.Dispose();
            throw;
        }
    }

    /// <summary>The specification with this as its standard descriptors.</summary>
    public SpawnSpec Apply(SpawnSpec spec)
    {
        if (_terminal is not null)
            return spec with { Terminal = _terminal.SlavePath };
        var ends = _childEnds.Select(end => Stdio.Descriptor((int)end.DangerousGetHandle())).ToList();
        return spec with { Stdout = ends[0], Stderr = ends[1], Stdin = ends.Count > 2 ? ends[2] : Stdio.Null };
    }

    /// <summary>To be called once the program runs: as long as they are open here, its output has no end.</summary>
    public void CloseChildEnds() => _childEnds.ForEach(end => end.Dispose());

    public void Resize(TerminalSize size)
    {
        if (_terminal is { Master.IsClosed: false })
            PseudoTerminal.Resize(_terminal.Master, size);
    }

    public void Dispose()
    {
        CloseChildEnds();
        _ends.ForEach(end => end.Dispose());
    }

    private void OpenTerminal(ExecRequest request)
    {
        _terminal = PseudoTerminal.Open();
        Stdout = Own(_terminal.Master);
        Stdin = request.Stdin ? Stdout : null;
        if (request.Size is not null)
            PseudoTerminal.Resize(_terminal.Master, request.Size);
    }

    private void OpenPipes(bool withStdin)
    {
        Stdout = OpenOutput();
        Stderr = OpenOutput();
        if (!withStdin)
            return;
        var (read, write) = AnonymousPipe.Create();
        _childEnds.Add(read);
        Stdin = Own(write);
    }

    private FdStream OpenOutput()
    {
        var (read, write) = AnonymousPipe.Create();
        _childEnds.Add(write);
        return Own(read);
    }

    private FdStream Own(SafeFileHandle handle)
    {
        _ends.Add(handle);
        var stream = new FdStream(handle);
        _ends.Add(stream);
        return stream;
    }
}

namespace OpenShell.Vm.Guest.Processes;

/// <summary>A child that was started. It leads a process group whose number is its own.</summary>
public sealed class ChildProcess
{
    private readonly ChildReaper _reaper;

    internal ChildProcess(ChildReaper reaper, int pid, Task<ExitStatus> exit)
    {
        _reaper = reaper;
        Pid = pid;
        Exit = exit;
    }

    /// <summary>Its process id. After <see cref="Exit"/> the kernel may give it to another process; the methods here know that.</summary>
    public int Pid { get; }

    /// <summary>Completes when it ended and was waited for; never faults.</summary>
    public Task<ExitStatus> Exit { get; }

    /// <summary>Sends a signal to the process; <see langword="false"/> when it is already gone.</summary>
    public bool Signal(int signal) => _reaper.Signal(Pid, Pid, signal);

    /// <summary>Sends a signal to its process group; <see langword="false"/> when the process is already gone.</summary>
    public bool SignalGroup(int signal) => _reaper.Signal(Pid, -Pid, signal);
}

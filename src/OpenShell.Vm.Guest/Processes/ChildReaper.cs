using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>Which children a <see cref="ChildReaper"/> waits for.</summary>
public enum ReaperScope
{
    /// <summary>
    /// Every child, adopted orphans too: for PID 1. Nothing else in the process may then wait for children, <c>System.Diagnostics.Process</c> included.
    /// </summary>
    AllChildren,

    /// <summary>Only those that were started through it: for a process that shares its children with others, such as a test runner.</summary>
    TrackedOnly,
}

/// <summary>
/// The one place that waits for children. A thread of its own blocks in <c>waitid</c>, which needs no SIGCHLD handler (so .NET's own cannot
/// conflict) and adds no delay. It only looks (<c>WNOWAIT</c>); the child is taken off the kernel's hands under <see cref="_gate"/>, which starting
/// and signalling take as well. So no child can end before it is known, and no signal can reach a stranger that got the number of a dead child.
/// </summary>
public sealed class ChildReaper : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, TaskCompletionSource<ExitStatus>> _tracked = [];
    private readonly ReaperScope _scope;
    private readonly AutoResetEvent _spawned = new(false);
    private TaskCompletionSource _childless = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _disposed;
    private long _orphans;

    /// <summary>Starts waiting.</summary>
    public ChildReaper(ReaperScope scope)
    {
        _scope = scope;
        if (scope == ReaperScope.AllChildren)
            StartThread("reaper", WaitForAll);
    }

    /// <summary>How many children ended that were not started through this reaper: orphans that PID 1 inherited.</summary>
    public long OrphansReaped => Interlocked.Read(ref _orphans);

    /// <summary>
    /// Completes once there is no child left at all, neither one's own nor an inherited one; a later start makes a new wait necessary.
    /// Only with <see cref="ReaperScope.AllChildren"/>.
    /// </summary>
    public Task WhenChildless()
    {
        if (_scope != ReaperScope.AllChildren)
            throw new InvalidOperationException("Only a reaper of all children knows when there is none left.");
        lock (_gate)
            return _childless.Task;
    }

    /// <summary>Stops waiting; children that still run are left alone, and their <see cref="ChildProcess.Exit"/> never completes.</summary>
    public void Dispose()
    {
        _disposed = true;
        _spawned.Set();
    }

    /// <summary>Runs <paramref name="spawn"/>, which returns the id of a new child, so that the child is known before it can be reaped.</summary>
    internal ChildProcess Spawn(Func<int> spawn)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var exit = new TaskCompletionSource<ExitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        int pid;
        lock (_gate)
        {
            pid = spawn();
            _tracked.Add(pid, exit);
            if (_childless.Task.IsCompleted)
                _childless = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (_scope == ReaperScope.AllChildren)
            _spawned.Set();
        else
            StartThread($"reaper-{pid}", () => WaitForOne(pid));
        return new ChildProcess(this, pid, exit.Task);
    }

    /// <summary>Sends a signal to <paramref name="target"/> (a process or, negative, a group) unless the child <paramref name="pid"/> was already reaped.</summary>
    internal bool Signal(int pid, int target, int signal)
    {
        lock (_gate)
        {
            if (!_tracked.ContainsKey(pid))
                return false;
            if (Libc.kill(target, signal) == 0)
                return true;
            var errno = Marshal.GetLastPInvokeError();
            return errno == Libc.ESRCH ? false : throw new ArgumentException($"Signal {signal}: {Libc.Message(errno)}.", nameof(signal));
        }
    }

    private static void StartThread(string name, ThreadStart body) =>
        new Thread(body, maxStackSize: 128 * 1024) { IsBackground = true, Name = name }.Start();

    private void WaitForAll()
    {
        while (!_disposed)
        {
            if (Peek(Libc.P_ALL, 0) is { } pid)
                Reap(pid);
            else
                WaitForSpawn();
        }
    }

    private void WaitForOne(int pid)
    {
        if (Peek(Libc.P_PID, pid) is not null)
            Reap(pid);
    }

    /// <summary>
    /// No child at all (ECHILD). Every process of the guest descends from PID 1, so one can only come back by <see cref="Spawn"/>, whose
    /// event is kept when it was set before this waits.
    /// </summary>
    private void WaitForSpawn()
    {
        lock (_gate)
        {
            if (_tracked.Count == 0)
                _childless.TrySetResult();
        }
        _spawned.WaitOne();
    }

    /// <summary>Blocks until a child has ended and says which, leaving it a zombie; <see langword="null"/> when there is none.</summary>
    private static unsafe int? Peek(int idType, int id)
    {
        var info = stackalloc byte[Libc.OpaqueSize];
        while (Libc.waitid(idType, (uint)id, info, Libc.WEXITED | Libc.WNOWAIT) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EINTR)
                return null;
        }
        return *(int*)(info + Libc.SigInfoPidOffset);
    }

    private unsafe void Reap(int pid)
    {
        int status;
        TaskCompletionSource<ExitStatus>? exit;
        lock (_gate)
        {
            // A child whose exec failed is reaped by posix_spawn itself, which held the gate meanwhile: nothing is left of it here.
            if (Libc.waitpid(pid, &status, Libc.WNOHANG) != pid)
                return;
            _tracked.Remove(pid, out exit);
        }
        if (exit is null)
            Interlocked.Increment(ref _orphans);
        else
            exit.SetResult(ExitStatus.FromWaitStatus(status));
    }
}

using System.Runtime.ExceptionServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// A child of this process: started from a <see cref="LaunchSpec"/>, in a process group of its own (Ctrl-C in the terminal is for the supervisor
/// alone, which then shuts down in order), with nothing inherited but its log. When the supervisor dies, however it dies, the child gets SIGTERM.
/// </summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    private readonly TaskCompletionSource<ExitReason> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _reaping = new();
    private bool _reaped;

    private readonly long _logStart;

    private ChildProcess(LaunchSpec spec)
    {
        Spec = spec;
        _logStart = File.Exists(spec.LogFile) ? new FileInfo(spec.LogFile).Length : 0;
    }

    /// <summary>What was started.</summary>
    public LaunchSpec Spec { get; }

    /// <summary>Who it is.</summary>
    public ProcessIdentity Identity { get; private set; } = new(0, 0);

    /// <summary>For a sentence: the last that it wrote to its log, and not what was there from earlier runs.</summary>
    internal string LastWords => LogTail.LastWords(Spec.LogFile, _logStart);

    /// <summary>Whether <see cref="LaunchSpec.Confinement"/> is in force.</summary>
    internal bool IsConfined { get; private set; }

    /// <summary>Completes when it has ended and been waited for.</summary>
    public Task<ExitReason> Exited => _exited.Task;

    /// <summary>Starts a process that ends with this one.</summary>
    /// <exception cref="FaultException">The program is not there or cannot be executed (<c>process.not-started</c>).</exception>
    public static ChildProcess Start(LaunchSpec spec) => Start(spec, independent: false);

    /// <summary>Starts a process that outlives this one, in a session of its own: no terminal, no signals of this one's.</summary>
    /// <exception cref="FaultException">As with <see cref="Start(LaunchSpec)"/>.</exception>
    public static ChildProcess StartIndependent(LaunchSpec spec) => Start(spec, independent: true);

    /// <summary>Sends a signal; nothing happens when the process has ended.</summary>
    public void Signal(int signal)
    {
        // Until it has been waited for, nobody else can get its number: under the lock the number is surely this process.
        lock (_reaping)
        {
            if (!_reaped)
                _ = Libc.Kill(Identity.Pid, signal);
        }
    }

    /// <summary>Kills it, if it still runs, and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        Signal(Signals.Kill);
        await Exited.ConfigureAwait(false);
    }

    private static ChildProcess Start(LaunchSpec spec, bool independent)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var child = new ChildProcess(spec);
        var started = new TaskCompletionSource();

        // A thread per child, from its start to its end. It must live as long as the child: Linux sends the parent-death signal when the
        // *thread* that started the child ends (https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html), and pool threads do end.
        var thread = new Thread(() => child.Live(independent, started), maxStackSize: 256 * 1024)
        {
            IsBackground = true,
            Name = spec.Title + " watch",
        };
        thread.Start();
        started.Task.GetAwaiter().GetResult();
        return child;
    }

    /// <summary>
    /// What a thread gives up, its child never has, and neither has any thread that it makes: .NET's pool grows by threads of whoever queues something. So it starts the child and does nothing else any more, until that has ended.
    /// </summary>
    private int SpawnConfined(FileConfinement confinement, bool independent, ManualResetEventSlim ended)
    {
        MakeLog();
        var given = confinement with { Writable = [.. confinement.Writable, Spec.LogFile] };
        var (pid, failure) = (0, (ExceptionDispatchInfo?)null);
        var spawned = new ManualResetEventSlim();
        var thread = new Thread(
            () =>
            {
                try
                {
                    IsConfined = Landlock.Confine(given);
                    pid = Spawn(Spec, independent);
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                    ended.Set();
                }

                spawned.Set();
                ended.Wait();
            },
            maxStackSize: 256 * 1024)
        {
            IsBackground = true,
            Name = Spec.Title + " confined",
        };
        thread.Start();
        spawned.Wait();
        failure?.Throw();
        return pid;
    }

    /// <summary>A confined child could not make it.</summary>
    private void MakeLog()
    {
        try
        {
            new FileStream(Spec.LogFile, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotStarted(Spec, e.Message);
        }
    }

    private void Live(bool independent, TaskCompletionSource started)
    {
        // Not disposed of: the other thread may be on its way out of its wait.
        var ended = new ManualResetEventSlim();
        try
        {
            var pid = Spec.Confinement is { } confinement ? SpawnConfined(confinement, independent, ended) : Spawn(Spec, independent);

            // The start time cannot be read of a child that has already ended; nothing is to be told apart then.
            Identity = ProcessIdentities.Of(pid) ?? new ProcessIdentity(pid, 0, ProcessIdentities.Boot);
        }
        catch (Exception e)
        {
            started.SetException(e);
            return;
        }

        started.SetResult();
        var reason = WaitForEnd();
        ended.Set();
        _exited.SetResult(reason);
    }
}

using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>
/// Starts processes by <c>posix_spawn</c>: no copy of this process's memory is made, and no managed code runs in the child, unlike with <c>fork</c>.
/// </summary>
public sealed class ProcessLauncher(ChildReaper reaper)
{
    private const int FirstOtherDescriptor = 3;

    /// <summary>Starts a process and returns once its program is loaded.</summary>
    /// <exception cref="SpawnException">Nothing was started; the exception carries the exit code that a shell would report.</exception>
    public ChildProcess Start(SpawnSpec spec)
    {
        if (spec.Terminal is not null && !spec.NewSession)
            throw new ArgumentException("A controlling terminal needs a session of its own.", nameof(spec));
        var program = ExecutableSearch.Resolve(spec);
        using var argv = new NativeStrings([spec.Program, .. spec.Arguments]);
        using var envp = new NativeStrings(spec.Environment);
        using var stdio = new StdioDescriptors(spec);
        return reaper.Spawn(() =>
        {
            var pid = Spawn(spec, program, argv, envp, stdio);
            if (spec.Cgroup is not null)
                Move(pid, spec.Cgroup);
            return pid;
        });
    }

    private static unsafe int Spawn(SpawnSpec spec, string program, NativeStrings argv, NativeStrings envp, StdioDescriptors stdio)
    {
        var attributes = stackalloc byte[Libc.OpaqueSize];
        var actions = stackalloc byte[Libc.OpaqueSize];
        Check(Libc.posix_spawnattr_init(attributes));
        Check(Libc.posix_spawn_file_actions_init(actions));
        try
        {
            Describe(attributes, spec);
            Describe(actions, spec, stdio);
            int pid;
            var errno = Libc.posix_spawn(&pid, program, actions, attributes, argv.Pointer, envp.Pointer);
            return errno == 0 ? pid : throw Explain(spec, errno);
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            _ = Libc.posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>Every signal back to its default (the run time ignores SIGPIPE, which would be inherited) and none blocked.</summary>
    private static unsafe void Describe(byte* attributes, SpawnSpec spec)
    {
        // Not sigfillset: it leaves out glibc's own two signals, which glibc would then set to be ignored in the child.
        var set = stackalloc byte[Libc.OpaqueSize];
        new Span<byte>(set, Libc.OpaqueSize).Fill(0xFF);
        Check(Libc.posix_spawnattr_setsigdefault(attributes, set));
        _ = Libc.sigemptyset(set);
        Check(Libc.posix_spawnattr_setsigmask(attributes, set));
        Check(Libc.posix_spawnattr_setpgroup(attributes, 0));
        var group = spec.NewSession ? Libc.POSIX_SPAWN_SETSID : Libc.POSIX_SPAWN_SETPGROUP;
        Check(Libc.posix_spawnattr_setflags(attributes, (short)(Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK | group)));
    }

    private static unsafe void Describe(byte* actions, SpawnSpec spec, StdioDescriptors stdio)
    {
        if (spec.Terminal is not null)
        {
            // The first terminal that a session leader without one opens becomes its controlling terminal (tty(4)); glibc calls setsid before these actions.
            Check(Libc.posix_spawn_file_actions_addopen(actions, 0, spec.Terminal, Libc.O_RDWR, 0));
            Check(Libc.posix_spawn_file_actions_adddup2(actions, 0, 1));
            Check(Libc.posix_spawn_file_actions_adddup2(actions, 0, 2));
        }
        else
        {
            for (var target = 0; target < FirstOtherDescriptor; target++)
                Check(Libc.posix_spawn_file_actions_adddup2(actions, stdio[target], target));
        }
        Check(Libc.posix_spawn_file_actions_addchdir_np(actions, spec.WorkingDirectory));
        // Everything here is opened close-on-exec; this also closes what some library forgot.
        Check(Libc.posix_spawn_file_actions_addclosefrom_np(actions, FirstOtherDescriptor));
    }

    /// <summary>posix_spawn says what failed, not where: only the working directory and the program can, so look at the directory.</summary>
    private static SpawnException Explain(SpawnSpec spec, int errno)
    {
        if (Libc.access(spec.WorkingDirectory, Libc.X_OK) != 0)
            return SpawnException.Directory(spec.WorkingDirectory, Marshal.GetLastPInvokeError());
        if (!Directory.Exists(spec.WorkingDirectory))
            return SpawnException.Directory(spec.WorkingDirectory, Libc.ENOTDIR);
        return errno is Libc.ENOENT or Libc.ENOTDIR ? SpawnException.NotFound(spec.Program) : SpawnException.NotExecutable(spec.Program, errno);
    }

    private static void Move(int pid, string cgroup)
    {
        try
        {
            File.WriteAllText(Path.Combine(cgroup, "cgroup.procs"), pid.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Still under the reaper's gate and not tracked yet: end it and wait here, so that no half-started child is left.
            Discard(pid);
            throw SpawnException.Other($"cgroup {cgroup}: {e.Message}", Libc.EIO);
        }
    }

    private static unsafe void Discard(int pid)
    {
        int status;
        _ = Libc.kill(-pid, Libc.SIGKILL);
        while (Libc.waitpid(pid, &status, 0) < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR)
        {
        }
    }

    private static void Check(int errno)
    {
        if (errno != 0)
            throw SpawnException.Other("posix_spawn", errno);
    }
}

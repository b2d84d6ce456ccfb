using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>
/// Keeps an instance to one supervisor: flock(2) on its <c>lock</c> file, held for the supervisor's life and given back by the kernel
/// however that ends. A command that works on an instance at rest holds it too, and says for what. The file says who holds it; asking takes no lock, so that a curious process never gets in the way of
/// a starting one.
/// </summary>
internal sealed class InstanceLock : IDisposable
{
    /// <summary>Held by nobody that the file names: somebody has just taken it, or is just giving it back, and says so in the next moment.</summary>
    private static readonly TimeSpan BetweenHolders = TimeSpan.FromSeconds(5);

    /// <summary>Of the file, once it has been held: a later holder writes over what is there, which a full disk takes too. Otherwise nothing could be deleted on one.</summary>
    private const int Length = 256;

    /// <summary>Copying a disk takes longer only where it is very large.</summary>
    private static readonly TimeSpan TurnLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly SafeFileHandle _handle;

    private InstanceLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock.</summary>
    /// <param name="files">The instance's.</param>
    /// <param name="name">Its name.</param>
    /// <param name="purpose">The command that works on it, such as <c>disk compact</c>; <see langword="null"/>: a supervisor.</param>
    /// <exception cref="FaultException">Another process holds it (<c>instance.running</c>, <c>instance.busy</c>).</exception>
    internal static InstanceLock Acquire(InstanceFiles files, string name, string? purpose = null)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            var handle = OpenFile(files.Lock);
            if (Libc.Flock((int)handle.DangerousGetHandle(), Libc.LockExclusive | Libc.LockNonBlocking) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                handle.Dispose();
                if (error == Libc.WouldBlock && HolderOf(files) is null && Stopwatch.GetElapsedTime(started) < BetweenHolders)
                {
                    Thread.Sleep(Pause);
                    continue;
                }

                throw error == Libc.WouldBlock
                    ? Held(files, name)
                    : PrivateFolder.NotWritable(files.Lock, new IOException(Marshal.GetPInvokeErrorMessage(error)));
            }

            var holder = new LockHolder(ProcessIdentities.Current, Guid.NewGuid(), purpose);
            try
            {
                Write(handle, JsonSerializer.SerializeToUtf8Bytes(holder, InstanceJsonLines.Default.LockHolder));
            }
            catch (IOException e)
            {
                handle.Dispose();
                throw PrivateFolder.NotWritable(files.Lock, e);
            }

            // A delete may have removed the folder between open and flock: then this lock is on a file that nobody else will ever see.
            if (ReadHolder(files) == holder)
                return new InstanceLock(handle);
            handle.Dispose();
        }
    }

    /// <summary>Takes the lock for a command; where another process is about the same with the instance, after that.</summary>
    /// <exception cref="FaultException">It is held for something else, or for too long (<c>instance.running</c>, <c>instance.busy</c>).</exception>
    internal static async Task<InstanceLock> AcquireInTurnAsync(InstanceFiles files, string name, string purpose, CancellationToken cancellationToken)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                return Acquire(files, name, purpose);
            }
            catch (FaultException e) when (e.Faults[0].Code == BusyCode && (WorkerOf(files)?.Purpose ?? purpose) == purpose && Stopwatch.GetElapsedTime(started) < TurnLimit)
            {
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The live process that holds the lock, a supervisor or a command; <see langword="null"/>: nobody does.</summary>
    internal static ProcessIdentity? HolderOf(InstanceFiles files) => Living(files)?.Process;

    /// <summary>The live supervisor that holds the lock; <see langword="null"/>: the instance does not run.</summary>
    internal static ProcessIdentity? SupervisorOf(InstanceFiles files) => Living(files) is { Purpose: null } holder ? holder.Process : null;

    /// <summary>The live command that holds the lock to work on the instance at rest; <see langword="null"/>: none does.</summary>
    internal static LockHolder? WorkerOf(InstanceFiles files) => Living(files) is { Purpose: not null } holder ? holder : null;

    /// <summary>Whether the file names a holder, alive or not: one that ended in order has taken its name out.</summary>
    internal static bool NamesHolder(InstanceFiles files) => ReadHolder(files) is not null;

    private static LockHolder? Living(InstanceFiles files) => ReadHolder(files) is { } holder && ProcessIdentities.IsAlive(holder.Process) ? holder : null;

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (_handle.IsClosed)
            return;
        Write(_handle, []);

        // Closing alone is not enough: a child that is just being started has the descriptor too until its exec, and would keep the lock.
        _ = Libc.Flock((int)_handle.DangerousGetHandle(), Libc.LockRelease);
        _handle.Dispose();
    }

    /// <summary>The code of the fault that another process has the instance.</summary>
    internal const string RunningCode = "instance.running";

    /// <summary>The code of the fault that a command works on the instance.</summary>
    internal const string BusyCode = "instance.busy";

    /// <summary>Says that another process has it, with who and for what.</summary>
    internal static FaultException Held(InstanceFiles files, string name) => new(Living(files) switch
    {
        { Purpose: { } purpose } worker => new Fault
        {
            Code = BusyCode,
            What = string.Create(CultureInfo.InvariantCulture, $"Instance {name} is being worked on by 'gateway {purpose}' (pid {worker.Process.Pid})."),
            Remedy = "Wait until that is done, then try again.",
        },
        var supervisor => new Fault
        {
            Code = RunningCode,
            What = $"Instance {name} is already running (pid {supervisor?.Process.Pid.ToString(CultureInfo.InvariantCulture) ?? "unknown"}).",
            Remedy = $"Use it, stop it with 'gateway stop --name {name}', or give another name with --name.",
        },
    });

    private static LockHolder? ReadHolder(InstanceFiles files)
    {
        try
        {
            using var handle = OpenFile(files.Lock, create: false);
            var buffer = new byte[Length];
            var text = buffer.AsSpan(0, RandomAccess.Read(handle, buffer, 0)).TrimEnd((byte)' ');
            return text.Length > 0 ? StatusReader.Holder(text.ToArray()) : null;
        }
        catch (Exception e) when (e is IOException or JsonException or FaultException)
        {
            return null;
        }
    }

    private static void Write(SafeFileHandle handle, ReadOnlySpan<byte> text)
    {
        Span<byte> content = stackalloc byte[Length];
        content.Fill((byte)' ');
        text.CopyTo(content);
        RandomAccess.Write(handle, content, 0);
    }

    private static SafeFileHandle OpenFile(string path, bool create = true)
    {
        try
        {
            return LockFile.Open(path, create);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PrivateFolder.NotWritable(path, e);
        }
    }
}

/// <summary>What stands in a lock file.</summary>
/// <param name="Process">The supervisor, or the command.</param>
/// <param name="Nonce">Tells this taking of the lock from every other.</param>
/// <param name="Purpose">The command, which works on the instance at rest; <see langword="null"/>: a supervisor.</param>
internal sealed record LockHolder(ProcessIdentity Process, Guid Nonce, string? Purpose = null);

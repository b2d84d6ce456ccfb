using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>
/// Keeps an instance to one supervisor: flock(2) on its <c>lock</c> file, held for the supervisor's life and given back by the kernel
/// however that ends. The file says who holds it; asking takes no lock, so that a curious process never gets in the way of a starting one.
/// </summary>
internal sealed class InstanceLock : IDisposable
{
    /// <summary>Held by nobody that the file names: somebody has just taken it, or is just giving it back, and says so in the next moment.</summary>
    private static readonly TimeSpan BetweenHolders = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly SafeFileHandle _handle;

    private InstanceLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="FaultException">Another process holds it (<c>instance.running</c>).</exception>
    internal static InstanceLock Acquire(InstanceFiles files, string name)
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
                    ? AlreadyRunning(files, name)
                    : PrivateFolder.NotWritable(files.Lock, new IOException(Marshal.GetPInvokeErrorMessage(error)));
            }

            var holder = new LockHolder(ProcessIdentities.Current, Guid.NewGuid());
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, JsonSerializer.SerializeToUtf8Bytes(holder, InstanceJsonLines.Default.LockHolder), 0);

            // A delete may have removed the folder between open and flock: then this lock is on a file that nobody else will ever see.
            if (ReadHolder(files) == holder)
                return new InstanceLock(handle);
            handle.Dispose();
        }
    }

    /// <summary>The live process that holds the lock; <see langword="null"/>: nobody does.</summary>
    internal static ProcessIdentity? HolderOf(InstanceFiles files) =>
        ReadHolder(files) is { } holder && ProcessIdentities.IsAlive(holder.Process) ? holder.Process : null;

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (_handle.IsClosed)
            return;
        RandomAccess.SetLength(_handle, 0);

        // Closing alone is not enough: a child that is just being started has the descriptor too until its exec, and would keep the lock.
        _ = Libc.Flock((int)_handle.DangerousGetHandle(), Libc.LockRelease);
        _handle.Dispose();
    }

    /// <summary>The code of the fault that another process has the instance.</summary>
    internal const string RunningCode = "instance.running";

    /// <summary>Says so, with who has it.</summary>
    internal static FaultException AlreadyRunning(InstanceFiles files, string name) => new(new Fault
    {
        Code = RunningCode,
        What = $"Instance {name} is already running (pid {HolderOf(files)?.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown"}).",
        Remedy = $"Use it, stop it with 'gateway stop --name {name}', or give another name with --name.",
    });

    private static LockHolder? ReadHolder(InstanceFiles files)
    {
        try
        {
            using var handle = OpenFile(files.Lock, create: false);
            var buffer = new byte[256];
            var length = RandomAccess.Read(handle, buffer, 0);
            return length > 0 ? StatusReader.Holder(buffer[..length]) : null;
        }
        catch (Exception e) when (e is IOException or JsonException or FaultException)
        {
            return null;
        }
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
/// <param name="Process">The supervisor.</param>
/// <param name="Nonce">Tells this taking of the lock from every other.</param>
internal sealed record LockHolder(ProcessIdentity Process, Guid Nonce);

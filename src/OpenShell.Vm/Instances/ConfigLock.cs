using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>
/// Keeps changes of an instance's configuration apart, which a command and a supervisor may make at one instant: flock(2) on a file of its own, held from the reading to the writing. Who only reads takes
/// none: the file is replaced whole.
/// </summary>
internal sealed class ConfigLock : IDisposable
{
    /// <summary>A change takes as long as the disk needs to keep it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly SafeFileHandle _handle;

    private ConfigLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes it, after whoever has it.</summary>
    /// <exception cref="FaultException">It is held for too long (<c>instance.config-busy</c>), or its file cannot be made.</exception>
    internal static ConfigLock Take(InstanceFiles files)
    {
        var handle = OpenFile(files.ConfigLock);
        for (var started = Stopwatch.GetTimestamp(); Libc.Flock((int)handle.DangerousGetHandle(), Libc.LockExclusive | Libc.LockNonBlocking) != 0; Thread.Sleep(Pause))
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == Libc.WouldBlock && Stopwatch.GetElapsedTime(started) < Limit)
                continue;
            handle.Dispose();
            throw error == Libc.WouldBlock ? Busy(files) : PrivateFolder.NotWritable(files.ConfigLock, new IOException(Marshal.GetPInvokeErrorMessage(error)));
        }

        return new ConfigLock(handle);
    }

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (_handle.IsClosed)
            return;

        // A child that is just being started has the descriptor too until its exec.
        _ = Libc.Flock((int)_handle.DangerousGetHandle(), Libc.LockRelease);
        _handle.Dispose();
    }

    private static SafeFileHandle OpenFile(string path)
    {
        try
        {
            return LockFile.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PrivateFolder.NotWritable(path, e);
        }
    }

    private static FaultException Busy(InstanceFiles files) => new(new Fault
    {
        Code = "instance.config-busy",
        What = $"Another process has been changing {files.Config} for {Limit.TotalSeconds:0} s.",
        Remedy = "Wait until it is done, or end it ('fuser' names it, with the path of config.lock beside that file), then try again; nothing was changed.",
    });
}

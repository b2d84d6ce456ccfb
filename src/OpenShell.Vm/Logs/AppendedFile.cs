using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Logs;

/// <summary>A log that this process appends to and rotates: nothing is lost in between. Safe for concurrent use; a full disk silences it, and stops nothing.</summary>
internal sealed class AppendedFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly LogLimits _limits;
    private readonly SafeFileHandle _handle;

    internal AppendedFile(string path, LogLimits limits)
    {
        _path = path;
        _limits = limits;
        if (!File.Exists(path))
            new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = AtomicFile.OwnerOnly }).Dispose();
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }

    internal void Append(ReadOnlySpan<byte> line)
    {
        try
        {
            lock (_gate)
            {
                if (RandomAccess.GetLength(_handle) > _limits.Bytes)
                    LogRotation.Rotate(_path, _limits);

                // At its end as it is now: a supervisor's own stderr goes to the same file.
                RandomAccess.Write(_handle, line, RandomAccess.GetLength(_handle));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Said above.
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _handle.Dispose();
    }
}

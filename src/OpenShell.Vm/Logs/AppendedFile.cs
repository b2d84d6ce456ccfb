using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Logs;

/// <summary>
/// A log that this process appends to and rotates: nothing is lost in between. Safe for concurrent use. A full disk stops nothing: what it could not take is kept, up to a limit, and written before what comes next.
/// </summary>
internal sealed class AppendedFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly LogLimits _limits;
    /// <summary>Bytes that are kept while the disk is full: some hundred events.</summary>
    private const int MostKept = 64 << 10;

    private readonly SafeFileHandle _handle;
    private byte[] _kept = [];

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
        lock (_gate)
        {
            byte[] all = [.. _kept, .. line];
            if (TryAppend(all))
                _kept = [];
            else if (all.Length <= MostKept)
                _kept = all;
        }
    }

    private bool TryAppend(byte[] lines)
    {
        try
        {
            if (RandomAccess.GetLength(_handle) > _limits.Bytes)
                LogRotation.Rotate(_path, _limits);

            // At its end as it is now: a supervisor's own stderr goes to the same file.
            var end = RandomAccess.GetLength(_handle);
            try
            {
                RandomAccess.Write(_handle, lines, end);
                return true;
            }
            catch (IOException)
            {
                // The part that found room would be half a line.
                RandomAccess.SetLength(_handle, end);
                return false;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _handle.Dispose();
    }
}

using System.Globalization;
using System.Text;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary><c>supervisor.log</c>: what the supervisor did, one line each, UTC. Safe for concurrent use; a full disk silences it, and stops nothing.</summary>
internal sealed class SupervisorLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream? _file;
    private readonly TimeProvider _time;

    /// <param name="path">The file, appended to; <see langword="null"/>: nothing is kept.</param>
    /// <param name="time">The clock.</param>
    internal SupervisorLog(string? path, TimeProvider time)
    {
        _time = time;
        if (path is null)
            return;
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = AtomicFile.OwnerOnly,
        });
    }

    internal void Say(string line)
    {
        if (_file is null)
            return;
        var bytes = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {line}\n"));
        try
        {
            lock (_gate)
                _file.Write(bytes);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Said above.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}

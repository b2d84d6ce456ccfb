using System.Globalization;
using System.Text;
using OpenShell.Vm.Logs;

namespace OpenShell.Vm.Supervision;

/// <summary><c>supervisor.log</c>: what the supervisor did, one line each, UTC. Safe for concurrent use; a full disk stops nothing.</summary>
internal sealed class SupervisorLog : IDisposable
{
    private readonly AppendedFile? _file;
    private readonly TimeProvider _time;

    /// <param name="path">The file, appended to and rotated; <see langword="null"/>: nothing is kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="limits">When it is rotated.</param>
    internal SupervisorLog(string? path, TimeProvider time, LogLimits? limits = null)
    {
        _time = time;
        _file = path is null ? null : new AppendedFile(path, limits ?? LogLimits.Default);
    }

    internal void Say(string line) => _file?.Append(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {line}\n")));

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}

using System.Text.Json;
using OpenShell.Vm.Logs;

namespace OpenShell.Vm.Events;

/// <summary>
/// <c>events.jsonl</c>: what happened to an instance, over all its runs; appended to by its supervisor alone, and rotated. Safe for concurrent use; what cannot be written stops nothing, and is written with the next that can be.
/// </summary>
internal sealed class EventLog : IDisposable
{
    private readonly string _instance;
    private readonly TimeProvider _time;
    private readonly AppendedFile? _file;
    private readonly Action<string>? _say;

    /// <param name="path">The file; <see langword="null"/>: nothing is kept.</param>
    /// <param name="instance">The instance's name.</param>
    /// <param name="time">The clock.</param>
    /// <param name="limits">When it is rotated.</param>
    /// <param name="say">Takes each event as a line of the supervisor's log.</param>
    internal EventLog(string? path, string instance, TimeProvider time, LogLimits? limits = null, Action<string>? say = null)
    {
        _say = say;
        _instance = instance;
        _time = time;
        _file = path is null ? null : new AppendedFile(path, limits ?? LogLimits.Events);
    }

    /// <summary>Tells something: here, and in the supervisor's log.</summary>
    /// <param name="name">One of <see cref="EventNames"/>.</param>
    /// <param name="message">For a person: one sentence.</param>
    /// <param name="subject">Which service, forward, ... it is about.</param>
    /// <param name="fault">The code of the fault that it is.</param>
    /// <param name="exitCode">With which a service ended.</param>
    /// <param name="restarts">How often it has been started again.</param>
    internal void Report(string name, string message, string? subject = null, string? fault = null, int? exitCode = null, int? restarts = null)
    {
        var happened = new InstanceEvent
        {
            At = _time.GetUtcNow(),
            Event = name,
            Severity = EventNames.All[name],
            Instance = _instance,
            Subject = subject,
            Message = message,
            Fault = fault,
            ExitCode = exitCode,
            Restarts = restarts,
        };
        _say?.Invoke(message);
        _file?.Append([.. JsonSerializer.SerializeToUtf8Bytes(happened, EventJson.Default.InstanceEvent), (byte)'\n']);
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}

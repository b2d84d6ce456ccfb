using System.Diagnostics;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Timeline;

/// <summary>Writes the timeline of one start: to its file, to the caller's progress, and into the table of stages. Safe for concurrent use.</summary>
internal sealed class TimelineRecorder : IDisposable
{
    /// <summary>Lines that a guest may add to the file. A cluster's boot has some hundred; one that restarts services for weeks, thousands. What comes later is only in the table.</summary>
    internal const int MostRelayed = 20_000;

    private readonly Lock _gate = new();
    private readonly FileStream? _file;
    private readonly IProgress<TimelineEvent>? _progress;
    private readonly TimeProvider _time;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly StageTable _table = new();
    private readonly GuestClock _guestClock = new();
    private int _relayed;

    /// <param name="path">The file, begun anew; <see langword="null"/>: none is kept.</param>
    /// <param name="progress">Told of each event after it is in the file.</param>
    /// <param name="time">The wall clock.</param>
    internal TimelineRecorder(string? path, IProgress<TimelineEvent>? progress, TimeProvider time)
    {
        // Deleted first, so that whoever still follows the last start's file keeps reading that one.
        if (path is not null)
        {
            File.Delete(path);
            _file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = Instances.AtomicFile.OwnerOnly,
            });
        }

        _progress = progress;
        _time = time;
        StartedAt = time.GetUtcNow();
    }

    /// <summary>From ready on, and at the end: then there is something to go on with that is worth more than the file.</summary>
    internal bool MayBeUnwritten { get; set; }

    /// <summary>When this start began.</summary>
    internal DateTimeOffset StartedAt { get; }

    /// <summary>Time since then.</summary>
    internal TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>The table so far.</summary>
    internal IReadOnlyList<Instances.StageTime> Stages
    {
        get
        {
            lock (_gate)
                return _table.Rows;
        }
    }

    /// <summary>The stage under way.</summary>
    internal string? CurrentStage
    {
        get
        {
            lock (_gate)
                return _table.Current?.Stage;
        }
    }

    /// <summary>Raised after each event, outside of locks, on the thread that recorded it.</summary>
    internal event Action? Changed;

    internal void Started(string stage, string? detail = null) => Record(stage, StageState.Started, detail);

    internal void Completed(string stage, string? detail = null) => Record(stage, StageState.Completed, detail);

    internal void Skipped(string stage, string? detail = null) => Record(stage, StageState.Skipped, detail);

    internal void Failed(string stage, string? detail = null) => Record(stage, StageState.Failed, detail);

    internal void Progress(string stage, double? share, string? detail) => Record(stage, StageState.Started, detail, share);

    /// <summary>Takes stages out of the table, which are to come again: nobody is to think that they are behind. What happened stays in the file.</summary>
    internal void Forget(IEnumerable<string> stages)
    {
        lock (_gate)
        {
            foreach (var stage in stages)
                _table.Remove(stage);
        }
    }

    /// <summary>A new machine is powered on: its clock begins anew.</summary>
    internal void PoweredOn()
    {
        lock (_gate)
            _guestClock.Reset();
    }

    /// <summary>Records what the guest reports, at the moment at which it happened there.</summary>
    internal void Relay(StageReport report)
    {
        var arrived = Elapsed;
        var uptime = TimeSpan.FromTicks(report.UptimeNanoseconds / TimeSpan.NanosecondsPerTick);
        TimeSpan sent;
        lock (_gate)
            sent = _guestClock.Place(arrived, uptime);
        Record(new TimelineEvent
        {
            Stage = report.Stage,
            State = report.State,
            At = StartedAt + sent,
            Elapsed = sent,
            GuestUptime = uptime,
            Detail = report.Detail ?? report.Fault?.What,
        }, keep: Interlocked.Increment(ref _relayed) <= MostRelayed);
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    /// <summary>A start that cannot be followed fails; what has become ready is not ended for a line of its history.</summary>
    private void Write(byte[] line)
    {
        try
        {
            _file?.Write(line);
        }
        catch (IOException) when (MayBeUnwritten)
        {
            // It is in the table.
        }
    }

    private void Record(string stage, StageState state, string? detail, double? progress = null) => Record(new TimelineEvent
    {
        Stage = stage,
        State = state,
        At = _time.GetUtcNow(),
        Elapsed = Elapsed,
        Detail = detail,
        Progress = progress,
    });

    private void Record(TimelineEvent happened, bool keep = true)
    {
        lock (_gate)
        {
            _table.Add(happened);
            if (keep)
                Write(TimelineFile.ToLine(happened));
        }

        _progress?.Report(happened);
        Changed?.Invoke();
    }
}

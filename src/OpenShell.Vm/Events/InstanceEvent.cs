using System.Text.Json.Serialization;

namespace OpenShell.Vm.Events;

/// <summary>How grave an event is.</summary>
public enum EventSeverity
{
    /// <summary>As it should be.</summary>
    Info,

    /// <summary>Something went wrong and was, or will be, put right.</summary>
    Warning,

    /// <summary>Something went wrong and stays so until somebody acts.</summary>
    Error,
}

/// <summary>Something that happened to an instance: one line of <c>events.jsonl</c>. Members are only added.</summary>
public sealed record InstanceEvent
{
    /// <summary>When it was noticed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>One of <see cref="EventNames"/>.</summary>
    public required string Event { get; init; }

    /// <summary>How grave it is.</summary>
    public required EventSeverity Severity { get; init; }

    /// <summary>The instance's name.</summary>
    public required string Instance { get; init; }

    /// <summary>What it is about, where that is one of several: a service, a forward.</summary>
    public string? Subject { get; init; }

    /// <summary>For a person.</summary>
    public required string Message { get; init; }

    /// <summary>The code of the fault, if it is one.</summary>
    public string? Fault { get; init; }

    /// <summary>Of a service that ended: its exit code as a shell reports it, 128+n for signal n.</summary>
    public int? ExitCode { get; init; }

    /// <summary>How often it has been started again: a service since the guest's start, an instance since its supervisor's.</summary>
    public int? Restarts { get; init; }
}

/// <summary>Source-generated JSON of events, one to a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(SeverityConverter)])]
[JsonSerializable(typeof(InstanceEvent))]
public sealed partial class EventJson : JsonSerializerContext
{
    /// <summary>Severities as camelCase words.</summary>
    public sealed class SeverityConverter() : JsonStringEnumConverter<EventSeverity>(System.Text.Json.JsonNamingPolicy.CamelCase);
}

using System.Text.Json;
using System.Text.Json.Serialization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>Source-generated JSON of everything that an instance keeps on disk; <c>--output json</c> prints the same shapes. Times are in seconds.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(SecondsConverter)])]
[JsonSerializable(typeof(InstanceConfig))]
[JsonSerializable(typeof(InstanceStatus))]
[JsonSerializable(typeof(IReadOnlyList<InstanceStatus>))]
[JsonSerializable(typeof(BootPlan))]
[JsonSerializable(typeof(HostFacts))]
[JsonSerializable(typeof(StartPlan))]
[JsonSerializable(typeof(InstanceOrigin))]
[JsonSerializable(typeof(IReadOnlyList<ProcessIdentity>))]
[JsonSerializable(typeof(IReadOnlyList<Fault>))]
[JsonSerializable(typeof(IReadOnlyList<TimelineEvent>))]
[JsonSerializable(typeof(PortReply))]
[JsonSerializable(typeof(PortForward))]
[JsonSerializable(typeof(string))]
public sealed partial class InstanceJson : JsonSerializerContext;

/// <summary>The same for JSON Lines: one object per line.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(SecondsConverter)])]
[JsonSerializable(typeof(TimelineEvent))]
[JsonSerializable(typeof(LockHolder))]
internal sealed partial class InstanceJsonLines : JsonSerializerContext;

/// <summary>Durations as a number of seconds, to the microsecond: what jq, a spreadsheet and a person can compare.</summary>
internal sealed class SecondsConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDouble() is var seconds && Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : throw new JsonException("a time is out of range");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(Math.Round(value.TotalSeconds, 6));
}

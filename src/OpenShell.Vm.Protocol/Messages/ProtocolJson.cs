using System.Text.Json.Serialization;

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Source-generated JSON for every message: no reflection, so that the guest can be native AOT.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GuestConfig))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecResult))]
[JsonSerializable(typeof(StageReport))]
[JsonSerializable(typeof(GuestFault))]
[JsonSerializable(typeof(TerminalSize))]
[JsonSerializable(typeof(PowerRequest))]
public sealed partial class ProtocolJson : JsonSerializerContext;

using System.Text.Json.Serialization;

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Source-generated JSON for every message: no reflection, so that the guest can be native AOT.</summary>
/// <remarks>
/// The generated code sets every <c>init</c> property, also those that the JSON does not have, to the default of its type: initializers are lost. So an
/// optional property must accept that (a list makes an empty one of <see langword="null"/>), or be <see cref="JsonRequiredAttribute"/>.
/// </remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(GuestConfig))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecResult))]
[JsonSerializable(typeof(StageReport))]
[JsonSerializable(typeof(GuestFault))]
[JsonSerializable(typeof(TerminalSize))]
[JsonSerializable(typeof(PowerRequest))]
[JsonSerializable(typeof(ServiceEnd))]
[JsonSerializable(typeof(HostChange))]
[JsonSerializable(typeof(HostChangeReply))]
[JsonSerializable(typeof(DiskUsageReply))]
[JsonSerializable(typeof(CertificateRenewal))]
[JsonSerializable(typeof(CertificateRenewalReply))]
[JsonSerializable(typeof(Hello))]
[JsonSerializable(typeof(Welcome))]
[JsonSerializable(typeof(Refusal))]
[JsonSerializable(typeof(ExecStarted))]
[JsonSerializable(typeof(ExecSignal))]
[JsonSerializable(typeof(ExecResize))]
[JsonSerializable(typeof(FileReadRequest))]
[JsonSerializable(typeof(FileDescription))]
[JsonSerializable(typeof(FileWriteRequest))]
[JsonSerializable(typeof(FileWritten))]
[JsonSerializable(typeof(DeliveryIndex))]
[JsonSerializable(typeof(TreeReadRequest))]
[JsonSerializable(typeof(TreeWriteRequest))]
[JsonSerializable(typeof(TreeEntry))]
[JsonSerializable(typeof(TreeSummary))]
[JsonSerializable(typeof(ResumeRequest))]
[JsonSerializable(typeof(ResumeReply))]
[JsonSerializable(typeof(SnapshotPreparation))]
[JsonSerializable(typeof(SnapshotPrepared))]
public sealed partial class ProtocolJson : JsonSerializerContext;

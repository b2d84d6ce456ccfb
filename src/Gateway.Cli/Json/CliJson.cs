using System.Text.Json;
using System.Text.Json.Serialization;
using OpenShell.Gateway.Cli.Doctor;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Runtime;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>
/// Everything that <c>--output json</c> prints. Names are camelCase and stay as they are: members are only added. Source-generated: reflection
/// would cost a command its start.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    Converters = [typeof(Words<InstancePhase>), typeof(Words<Accelerator>), typeof(Words<DiskFormat>), typeof(Words<Vm.Protocol.Messages.GuestMode>), typeof(Words<Vm.Protocol.Messages.StageState>), typeof(Words<CheckState>), typeof(Words<PortProtocol>), typeof(Words<ShareKind>), typeof(Words<RuntimeOrigin>), typeof(SecondsConverter)])]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(IReadOnlyList<StatusView>))]
[JsonSerializable(typeof(StartPlan))]
[JsonSerializable(typeof(TimelineView))]
[JsonSerializable(typeof(KubeconfigView))]
[JsonSerializable(typeof(MergeView))]
[JsonSerializable(typeof(IReadOnlyList<DiskView>))]
[JsonSerializable(typeof(ServiceView))]
[JsonSerializable(typeof(UninstallView))]
[JsonSerializable(typeof(IReadOnlyList<ArtifactView>))]
[JsonSerializable(typeof(ImageView))]
[JsonSerializable(typeof(KernelView))]
[JsonSerializable(typeof(KernelCheckView))]
[JsonSerializable(typeof(VerifyView))]
[JsonSerializable(typeof(PruneView))]
[JsonSerializable(typeof(IReadOnlyList<RuntimePart>))]
[JsonSerializable(typeof(DoctorView))]
[JsonSerializable(typeof(SetupView))]
[JsonSerializable(typeof(SupportView))]
[JsonSerializable(typeof(VersionsView))]
[JsonSerializable(typeof(HostFacts))]
[JsonSerializable(typeof(BundleView))]
[JsonSerializable(typeof(PortView))]
[JsonSerializable(typeof(Vm.Snapshots.GoldenImage))]
[JsonSerializable(typeof(IReadOnlyList<PortView>))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>Writes one document and a line feed.</summary>
    public static void Write<T>(TextWriter writer, T value) => writer.WriteLine(Text(value));

    /// <summary>The same as a text.</summary>
    public static string Text<T>(T value) => JsonSerializer.Serialize(value, typeof(T), Default);

    /// <summary>An enumeration's member as JSON and people see it.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    /// <summary>Enumerations as camelCase words.</summary>
    internal sealed class Words<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase)
        where T : struct, Enum;

    /// <summary>Durations as a number of seconds.</summary>
    internal sealed class SecondsConverter : JsonConverter<TimeSpan>
    {
        /// <inheritdoc/>
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => System.TimeSpan.FromSeconds(reader.GetDouble());

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(Rendering.Units.Seconds(value));
    }
}

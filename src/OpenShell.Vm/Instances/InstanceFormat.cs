using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>The version of an instance's folder, disk included, as <c>config.json</c> says it: what an older version made is brought up to date as it is read, what a newer one made is left alone.</summary>
public static class InstanceFormat
{
    /// <summary>The version that this program writes. Raised when an older program would misread what is there; a property more is no reason.</summary>
    public const int Current = 2;

    /// <summary>The steps, each from its version to the next. 1 is what was written before versions were: it lacks nothing that has no default.</summary>
    private static readonly Dictionary<int, Action<JsonObject>> Steps = new() { [1] = _ => { } };

    /// <summary>A configuration of any version that can be read, in the current one.</summary>
    /// <exception cref="FaultException">It is of a newer version (<c>instance.format-newer</c>), or older than any that this program knows (<c>instance.format-older</c>).</exception>
    /// <exception cref="JsonException">It is no JSON object.</exception>
    internal static byte[] Upgrade(byte[] content, string path, string instance) => Upgrade(content, path, instance, Current, Steps);

    /// <summary>The same with other steps than this version's.</summary>
    internal static byte[] Upgrade(byte[] content, string path, string instance, int current, IReadOnlyDictionary<int, Action<JsonObject>> steps)
    {
        if (JsonNode.Parse(content) is not JsonObject config)
            throw new JsonException("it is no JSON object");
        var format = VersionOf(config);
        if (format == current)
            return content;
        if (format > current)
            throw new FaultException(Newer(path, instance, format, current));
        for (var at = format; at < current; at++)
        {
            if (!steps.TryGetValue(at, out var step))
                throw new FaultException(Older(path, instance, format, steps.Keys.Min()));
            step(config);
        }

        config["format"] = current;
        return JsonSerializer.SerializeToUtf8Bytes(config, FormatJson.Default.JsonObject);
    }

    private static int VersionOf(JsonObject config) => config["format"] switch
    {
        null => 1,
        JsonValue value when value.TryGetValue<int>(out var version) => version,
        _ => throw new JsonException("its format is no number"),
    };

    /// <summary>The codes of what is said of another version's.</summary>
    internal const string NewerCode = "instance.format-newer", OlderCode = "instance.format-older";

    private static Fault Newer(string path, string instance, int format, int current) => new()
    {
        Code = NewerCode,
        What = string.Create(CultureInfo.InvariantCulture, $"{instance} was made or last started by a newer version of this program (format {format}; this version knows {current})."),
        Remedy = "Use that version or a newer one. To go on with this version, move the data by that one: 'kubectl get' the objects into files and copy the volumes' files out, "
            + "then 'gateway up --name' another instance here with them (docs/instances.md).",
        Log = path,
    };

    private static Fault Older(string path, string instance, int format, int oldest) => new()
    {
        Code = OlderCode,
        What = string.Create(CultureInfo.InvariantCulture, $"{instance} was made by a version of this program whose format {format} is no longer read (this version reads {oldest} and on)."),
        Remedy = "Start it once with a version in between, which brings it up to date; or move the data by the old version: 'kubectl get' the objects into files and copy the volumes' "
            + $"files out, then begin anew with 'gateway delete --name {instance}' and 'gateway up --name {instance}' (docs/instances.md).",
        Log = path,
    };
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class FormatJson : System.Text.Json.Serialization.JsonSerializerContext;

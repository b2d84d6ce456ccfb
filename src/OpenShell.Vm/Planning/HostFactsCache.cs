using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Runtime;

namespace OpenShell.Vm.Planning;

/// <summary>Remembers facts of the host, each under a key that changes when the fact may have. Losing it costs a fraction of a second; so every error means: ask again.</summary>
internal sealed class HostFactsCache(string cacheFolder)
{
    private readonly string _folder = Path.Combine(cacheFolder, "host");

    /// <summary>The remembered fact, or a new one from <paramref name="probe"/>.</summary>
    internal async Task<T?> GetAsync<T>(string name, string key, Func<CancellationToken, Task<T?>> probe, CancellationToken cancellationToken)
        where T : class
    {
        var type = (JsonTypeInfo<Remembered<T>>)HostFactsJson.Default.GetTypeInfo(typeof(Remembered<T>))!;
        var path = Path.Combine(_folder, name + ".json");
        if (Read(path, type) is { } remembered && remembered.Key == key)
            return remembered.Value;

        var value = await probe(cancellationToken).ConfigureAwait(false);
        if (value is not null and not KvmMeasurement { Error: not null })
            Write(path, new Remembered<T>(key, value), type);
        return value;
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Changes when the file is replaced.</summary>
    internal static string KeyOfFile(string path)
    {
        var file = new FileInfo(path);
        return $"{path} {file.Length} {file.LastWriteTimeUtc:O}";
    }

    /// <summary>Changes when the host is booted, or is another one with the same home.</summary>
    internal static string KeyOfBoot() => $"{ProcessIdentities.Boot} {ReadLine("/proc/sys/kernel/osrelease")}";

    private static string ReadLine(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private static Remembered<T>? Read<T>(string path, JsonTypeInfo<Remembered<T>> type)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), type) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private void Write<T>(string path, Remembered<T> value, JsonTypeInfo<Remembered<T>> type)
    {
        try
        {
            Directory.CreateDirectory(_folder);
            AtomicFile.WriteJson(path, value, type, durable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Next time it is asked again.
        }
    }
}

internal sealed record Remembered<T>(string Key, T Value);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Remembered<Version>))]
[JsonSerializable(typeof(Remembered<SeenFile>))]
[JsonSerializable(typeof(Remembered<KvmMeasurement>))]
internal sealed partial class HostFactsJson : JsonSerializerContext;

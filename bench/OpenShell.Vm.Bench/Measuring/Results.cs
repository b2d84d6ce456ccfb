using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>All that a run came to.</summary>
/// <param name="Machine">Where.</param>
/// <param name="Measurements">What was measured.</param>
/// <param name="Timelines">Starts, stage by stage.</param>
internal sealed record Results(Machine Machine, IReadOnlyList<Measurement> Measurements, IReadOnlyList<BootTimeline> Timelines)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>As it is written with <c>--json</c>, statistics included.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>Reads what was written.</summary>
    /// <exception cref="BenchException">It is something else.</exception>
    public static Results Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Results>(File.ReadAllText(path), Options) ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BenchException($"{path} is no result of a run: {e.Message}");
        }
    }

    /// <summary>This, and what an earlier run has of benchmarks that were not run now.</summary>
    public Results With(Results earlier)
    {
        var run = Measurements.Select(m => m.Benchmark).ToHashSet();
        return this with
        {
            Measurements = [.. earlier.Measurements.Where(m => !run.Contains(m.Benchmark)), .. Measurements],
            Timelines = [.. earlier.Timelines.Where(old => Timelines.All(t => t.Title != old.Title)), .. Timelines],
        };
    }
}

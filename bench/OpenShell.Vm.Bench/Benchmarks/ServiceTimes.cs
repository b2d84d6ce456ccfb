using System.Text.Json;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>When a service was started, and when it was healthy: seconds on a clock that all of them share.</summary>
internal sealed record ServiceTime(double Start, double Healthy);

/// <summary>Times of the services of Kubernetes, in a guest or on the host. Pure.</summary>
internal static class ServiceTimes
{
    private const string Stage = "services/";

    /// <summary>Of a guest's timeline: those that became healthy. A stage begins when its service begins to wait for something; each was started at the last that was said of it before it was healthy.</summary>
    public static IReadOnlyDictionary<string, ServiceTime> Of(IEnumerable<TimelineEvent> events)
    {
        var started = new Dictionary<string, double>();
        var times = new Dictionary<string, ServiceTime>();
        foreach (var happened in events.Where(happened => happened.Stage.StartsWith(Stage, StringComparison.Ordinal)))
        {
            var name = happened.Stage[Stage.Length..];
            if (happened.State == StageState.Started)
                started[name] = happened.Elapsed.TotalSeconds;
            else if (happened.State == StageState.Completed && started.TryGetValue(name, out var start))
                times.TryAdd(name, new ServiceTime(start, happened.Elapsed.TotalSeconds));
        }

        return times;
    }

    /// <summary>From the first's start to the last's health.</summary>
    /// <returns>Seconds; <see langword="null"/> where one of them is missing.</returns>
    public static double? Span(IReadOnlyDictionary<string, ServiceTime> times, IReadOnlyCollection<string> services) =>
        services.All(times.ContainsKey) ? services.Max(name => times[name].Healthy) - services.Min(name => times[name].Start) : null;

    public static string Write(IReadOnlyDictionary<string, ServiceTime> times) => JsonSerializer.Serialize(times);

    /// <summary>Reads what was written.</summary>
    /// <exception cref="BenchException">It is something else.</exception>
    public static IReadOnlyDictionary<string, ServiceTime> Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, ServiceTime>>(json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new BenchException($"No times of services: {e.Message}");
        }
    }
}

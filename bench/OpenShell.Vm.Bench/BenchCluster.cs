using System.Text.Json;

namespace OpenShell.Vm.Bench;

/// <summary>A cluster that a benchmark starts and stops by the command, as users do.</summary>
internal sealed class BenchCluster(BenchContext context, string name) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private bool _there;

    /// <summary>Starts it, on its disk if it has one.</summary>
    /// <returns>What <c>gateway up</c> printed: the status at Ready.</returns>
    public async Task<JsonElement> UpAsync()
    {
        _there = true;
        var json = (await HostProgram.RunAsync(HostProgram.Command, ["up", "--detach", "--quiet", "--name", name, "--output", "json"], StartLimit, context.Home.Environment)).Output;
        using var status = JsonDocument.Parse(json);
        return status.RootElement.Clone();
    }

    public Task StopAsync() => RunAsync("stop");

    public async ValueTask DisposeAsync()
    {
        if (!_there)
            return;
        await RunAsync("stop");
        await RunAsync("delete");
    }

    /// <summary>By the product's own clock: from the start of the instance to the gateway's answer, without an image build if there was one.</summary>
    public static double SecondsToReady(JsonElement status) =>
        status.GetProperty("readySeconds").GetDouble()
        - Stages(status).Where(stage => Name(stage) == Timeline.BootStages.Image).Sum(stage => Seconds(stage) ?? 0);

    public static IEnumerable<JsonElement> Stages(JsonElement status) => status.GetProperty("stages").EnumerateArray();

    public static string Name(JsonElement stage) => stage.GetProperty("stage").GetString()!;

    public static double? Seconds(JsonElement stage) => stage.TryGetProperty("seconds", out var seconds) ? seconds.GetDouble() : null;

    private async Task RunAsync(string command) => await HostProgram.RunAsync(HostProgram.Command, [command, "--name", name], Limit, context.Home.Environment);
}

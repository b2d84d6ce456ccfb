using System.Text.Json;

namespace OpenShell.Vm.Bench;

/// <summary>A cluster that a benchmark starts and stops by the command, as users do.</summary>
/// <param name="context">As given to the benchmark.</param>
/// <param name="name">The instance's name.</param>
/// <param name="golden">Whether it begins as a copy of the golden image. Otherwise it boots, and none is baked of it.</param>
internal sealed class BenchCluster(BenchContext context, string name, bool golden = false) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private bool _there;

    /// <summary>Starts it, on its disk if it has one.</summary>
    /// <returns>What <c>gateway up</c> printed: the status at Ready.</returns>
    public async Task<JsonElement> UpAsync(params string[] more) => (await UpTimedAsync(more)).Status;

    /// <summary>The same, with the time that the command took, from before its start to after its end.</summary>
    public async Task<(JsonElement Status, double Seconds)> UpTimedAsync(params string[] more)
    {
        _there = true;
        string[] how = golden ? ["--start", "resume"] : [];
        var (json, elapsed) = await HostProgram.RunAsync(HostProgram.Command, ["up", "--detach", "--quiet", "--name", name, "--output", "json", .. how, .. more], StartLimit, Environment);
        using var status = JsonDocument.Parse(json);
        return (status.RootElement.Clone(), elapsed.TotalSeconds);
    }

    public Task StopAsync() => RunAsync("stop");

    /// <summary>Saves it with its memory.</summary>
    /// <returns>How long the command took, in seconds.</returns>
    public async Task<double> SuspendAsync() => (await HostProgram.RunAsync(HostProgram.Command, ["suspend", "--quiet", "--name", name], Limit, Environment)).Elapsed.TotalSeconds;

    public async ValueTask DisposeAsync()
    {
        if (!_there)
            return;
        await HostProgram.RunAsync(HostProgram.Command, ["stop", "--force", "--name", name], Limit, Environment);
        await RunAsync("delete");
    }

    private IReadOnlyDictionary<string, string?> Environment => golden ? context.Home.WithGolden : context.Home.Environment;

    /// <summary>By the product's own clock: from the start of the instance to the gateway's answer, without an image build if there was one.</summary>
    public static double SecondsToReady(JsonElement status) =>
        status.GetProperty("readySeconds").GetDouble()
        - Stages(status).Where(stage => Name(stage) == Timeline.BootStages.Image).Sum(stage => Seconds(stage) ?? 0);

    public static IEnumerable<JsonElement> Stages(JsonElement status) => status.GetProperty("stages").EnumerateArray();

    public static string Name(JsonElement stage) => stage.GetProperty("stage").GetString()!;

    public static double? Seconds(JsonElement stage) => stage.TryGetProperty("seconds", out var seconds) ? seconds.GetDouble() : null;

    /// <summary>The process of a role.</summary>
    public static int Pid(JsonElement status, string role) => status.GetProperty("processes").GetProperty(role).GetProperty("pid").GetInt32();

    private async Task RunAsync(string command) => await HostProgram.RunAsync(HostProgram.Command, [command, "--name", name], Limit, Environment);
}

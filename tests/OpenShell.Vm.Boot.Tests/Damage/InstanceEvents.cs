using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>The events of an instance, as <c>gateway events</c> tells them.</summary>
internal sealed class InstanceEvents(GatewayCli gateway, string instance)
{
    /// <summary>An emulated machine on a busy host.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    public async Task<IReadOnlyList<JsonElement>> AllAsync() =>
        [.. (await gateway.RunAsync("events", "--name", instance, "--output", "json")).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    public async Task<int> CountAsync(string name) => (await AllAsync()).Count(e => e.GetProperty("event").GetString() == name);

    /// <summary>Waits for one more of that name than there were.</summary>
    /// <returns>What it says.</returns>
    public async Task<string> NextAsync(string name, int before, string containing = "")
    {
        var found = "";
        await Eventually.HoldsAsync($"another {name}", async () =>
        {
            found = (await AllAsync()).Where(e => e.GetProperty("event").GetString() == name).Skip(before).Select(e => e.GetProperty("message").GetString()!)
                .FirstOrDefault(message => message.Contains(containing, StringComparison.Ordinal), "");
            return found.Length > 0;
        }, Soon);
        return found;
    }
}

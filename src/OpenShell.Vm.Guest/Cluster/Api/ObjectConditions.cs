using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>Reads the state of nodes and pods out of their JSON.</summary>
internal static class ObjectConditions
{
    /// <summary>Whether the condition <c>Ready</c> is true.</summary>
    public static bool IsReady(JsonElement item) =>
        Conditions(item).Any(c => c.GetProperty("type").GetString() == "Ready" && c.GetProperty("status").GetString() == "True");

    /// <summary>Why an object is not ready, for a person: the first reason that its containers or conditions give.</summary>
    public static string? WhyNotReady(JsonElement item)
    {
        foreach (var container in Statuses(item))
        {
            if (container.TryGetProperty("state", out var state) && state.TryGetProperty("waiting", out var waiting))
                return Sentence(waiting);
        }

        foreach (var condition in Conditions(item))
        {
            if (condition.GetProperty("status").GetString() != "True" && condition.GetProperty("type").GetString() is "PodScheduled" or "Ready")
                return Sentence(condition);
        }

        return null;
    }

    private static string? Sentence(JsonElement state)
    {
        var reason = state.TryGetProperty("reason", out var r) ? r.GetString() : null;
        var message = state.TryGetProperty("message", out var m) ? m.GetString() : null;
        return message is null ? reason : $"{reason}: {message}";
    }

    private static JsonElement.ArrayEnumerator Conditions(JsonElement item) => Array(item, "conditions");

    private static JsonElement.ArrayEnumerator Statuses(JsonElement item) => Array(item, "containerStatuses");

    private static JsonElement.ArrayEnumerator Array(JsonElement item, string name) =>
        item.TryGetProperty("status", out var status) && status.TryGetProperty(name, out var array) && array.ValueKind == JsonValueKind.Array ? array.EnumerateArray() : default;
}

using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>Reads what may be missing: the API leaves out what is empty.</summary>
internal static class JsonReading
{
    /// <summary>The string at a path of keys; <see langword="null"/> when it is not there.</summary>
    public static string? Text(this JsonElement item, params ReadOnlySpan<string> path) =>
        item.At(path) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>The number at a path of keys; 0 when it is not there.</summary>
    public static int Number(this JsonElement item, params ReadOnlySpan<string> path) =>
        item.At(path) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : 0;

    /// <summary>The items of the array at a path of keys; none when it is not there.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement item, params ReadOnlySpan<string> path) =>
        item.At(path) is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : default;

    /// <summary>The strings of the array at a path of keys.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement item, params ReadOnlySpan<string> path)
    {
        var texts = new List<string>();
        foreach (var value in item.Items(path))
        {
            if (value.ValueKind == JsonValueKind.String)
                texts.Add(value.GetString()!);
        }

        return texts;
    }

    /// <summary>What is at a path of keys; <see langword="null"/> when it is not there.</summary>
    public static JsonElement? At(this JsonElement item, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(key, out item))
                return null;
        }

        return item;
    }
}

using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>What the API server knows of one kind of objects, as it changes: what controllers decide by.</summary>
/// <param name="api">The API server.</param>
/// <param name="path">The list's path.</param>
/// <param name="read">Takes from an object what is of interest.</param>
/// <param name="changed">Called after every change.</param>
internal sealed class ObjectMirror<T>(ApiClient api, string path, Func<JsonElement, T> read, Action changed)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _listed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<(string? Namespace, string Name), T> _items = [];

    /// <summary>Completes with the first full list.</summary>
    public Task Listed => _listed.Task;

    /// <summary>All objects, as they are now.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate)
                return [.. _items.Values];
        }
    }

    /// <summary>Follows the objects until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => api.FollowAsync(path, Replace, Change, cancellationToken);

    private void Replace(JsonElement items)
    {
        var all = new Dictionary<(string?, string), T>();
        foreach (var item in items.EnumerateArray())
            all[NameOf(item)] = read(item);
        lock (_gate)
            _items = all;
        _listed.TrySetResult();
        changed();
    }

    private void Change(string type, JsonElement item)
    {
        lock (_gate)
        {
            if (type == "DELETED")
                _items.Remove(NameOf(item));
            else
                _items[NameOf(item)] = read(item);
        }

        changed();
    }

    private static (string? Namespace, string Name) NameOf(JsonElement item) => (item.Text("metadata", "namespace"), item.Text("metadata", "name")!);
}

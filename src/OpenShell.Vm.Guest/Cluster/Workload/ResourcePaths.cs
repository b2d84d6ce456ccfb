using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Knows the path of an object by asking the API server what its kind is called in URLs (discovery), once per group and version.</summary>
internal sealed class ResourcePaths(ApiClient api)
{
    private readonly Dictionary<string, Dictionary<string, (string Plural, bool Namespaced)>> _known = [];

    /// <summary>The path of an object; <see langword="null"/> when the API server does not (yet) know the kind.</summary>
    public async Task<string?> OfAsync(ManifestHeader header, CancellationToken cancellationToken)
    {
        var root = header.ApiVersion.Contains('/', StringComparison.Ordinal) ? "/apis/" + header.ApiVersion : "/api/" + header.ApiVersion;
        if (!_known.TryGetValue(root, out var kinds) || !kinds.ContainsKey(header.Kind))
            _known[root] = kinds = await DiscoverAsync(root, cancellationToken).ConfigureAwait(false);
        if (!kinds.TryGetValue(header.Kind, out var resource))
            return null;
        return resource.Namespaced
            ? $"{root}/namespaces/{Uri.EscapeDataString(header.Namespace ?? "default")}/{resource.Plural}/{Uri.EscapeDataString(header.Name)}"
            : $"{root}/{resource.Plural}/{Uri.EscapeDataString(header.Name)}";
    }

    private async Task<Dictionary<string, (string Plural, bool Namespaced)>> DiscoverAsync(string root, CancellationToken cancellationToken)
    {
        var kinds = new Dictionary<string, (string Plural, bool Namespaced)>();
        using var list = await api.GetAsync(root, cancellationToken).ConfigureAwait(false);
        if (list is null)
            return kinds;
        foreach (var resource in list.RootElement.GetProperty("resources").EnumerateArray())
        {
            var plural = resource.GetProperty("name").GetString()!;
            // "pods/log" and the like are parts of another.
            if (!plural.Contains('/', StringComparison.Ordinal))
                kinds.TryAdd(resource.GetProperty("kind").GetString()!, (plural, resource.GetProperty("namespaced").GetBoolean()));
        }

        return kinds;
    }
}

using OpenShell.Vm.Guest.Deliveries;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// What the gateway's pods find of the way to the world, in their namespace: the ConfigMap <c>openshell-proxy</c> (variables) and <c>openshell-ca</c> (<c>ca.crt</c>, further certificate
/// authorities). Both are always there, and empty where nothing was given along.
/// </summary>
internal static class GatewayEnvironment
{
    /// <summary>The two, as manifests.</summary>
    public static IReadOnlyList<ManifestDocument> Documents(Delivery delivery) =>
    [
        ConfigMap("openshell-proxy", ProxyEnvironment.Of(delivery.Proxy).Select(variable => variable.Split('=', 2)).Select(pair => (pair[0], pair[1]))),
        ConfigMap("openshell-ca", delivery.Index.Authorities is { } entry ? [("ca.crt", File.ReadAllText(delivery.PathOf(entry)))] : []),
    ];

    private static ManifestDocument ConfigMap(string name, IEnumerable<(string Key, string Value)> data) => GatewayObjects.OfData("ConfigMap", name, type: null, json =>
    {
        foreach (var (key, value) in data)
            json.WriteString(key, value);
    });
}

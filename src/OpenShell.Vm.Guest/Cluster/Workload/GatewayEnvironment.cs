using System.Text;
using System.Text.Json;
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

    private static ManifestDocument ConfigMap(string name, IEnumerable<(string Key, string Value)> data)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", "v1");
            json.WriteString("kind", "ConfigMap");
            json.WriteStartObject("metadata");
            json.WriteString("name", name);
            json.WriteString("namespace", GatewaySecrets.Namespace);
            json.WriteEndObject();
            json.WriteStartObject("data");
            foreach (var (key, value) in data)
                json.WriteString(key, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new ManifestDocument($"the ConfigMap {name}", Encoding.UTF8.GetString(buffer.ToArray()), new ManifestHeader("v1", "ConfigMap", name, GatewaySecrets.Namespace));
    }
}

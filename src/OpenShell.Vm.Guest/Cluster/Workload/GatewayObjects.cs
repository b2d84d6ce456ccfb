using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Everything that is in the cluster for the gateway's sake: what PID 1 makes for it, and the manifests of the image.</summary>
internal static class GatewayObjects
{
    /// <summary>What PID 1 makes: namespace, secrets, ConfigMaps.</summary>
    public static IReadOnlyList<ManifestDocument> Documents(IReadOnlyDictionary<string, KeyPair> certificates, Delivery delivery) =>
        [.. GatewaySecrets.Documents(certificates), .. GatewayEnvironment.Documents(delivery)];

    /// <summary>These, and the image's own manifests after them.</summary>
    public static async Task<IReadOnlyList<ManifestDocument>> AllAsync(ClusterContext context, CancellationToken cancellationToken)
    {
        var documents = new List<ManifestDocument>(Documents(context.Certificates, context.Delivery));
        foreach (var file in ManifestFolder.Files(GuestPaths.Manifests))
            documents.AddRange(ManifestReader.Read(Path.GetFileName(file), await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)));
        return documents;
    }

    /// <summary>An object of the gateway's namespace that is nothing but data.</summary>
    /// <param name="kind">Secret or ConfigMap.</param>
    /// <param name="name">Its name.</param>
    /// <param name="type">A secret's type.</param>
    /// <param name="writeData">Writes the properties of <c>data</c>.</param>
    public static ManifestDocument OfData(string kind, string name, string? type, Action<Utf8JsonWriter> writeData)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", "v1");
            json.WriteString("kind", kind);
            if (type is not null)
                json.WriteString("type", type);
            json.WriteStartObject("metadata");
            json.WriteString("name", name);
            json.WriteString("namespace", GatewaySecrets.Namespace);
            json.WriteEndObject();
            json.WriteStartObject("data");
            writeData(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new ManifestDocument($"the {(kind == "Secret" ? "secret" : kind)} {name}", Encoding.UTF8.GetString(buffer.ToArray()), new ManifestHeader("v1", kind, name, GatewaySecrets.Namespace));
    }
}

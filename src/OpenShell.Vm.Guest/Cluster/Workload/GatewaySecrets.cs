using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>What the gateway's pods find as secrets: their certificate, the CA of their clients, and a client's certificate for those in the cluster.</summary>
internal static class GatewaySecrets
{
    /// <summary>The namespace of all of it.</summary>
    public const string Namespace = "openshell";

    /// <summary>The namespace and the three secrets, as manifests.</summary>
    public static IReadOnlyList<ManifestDocument> Documents(IReadOnlyDictionary<string, KeyPair> certificates) => Documents(
        certificates[ClusterCertificates.GatewayCa].CertificatePem, certificates[ClusterCertificates.GatewayServer], certificates[ClusterCertificates.GatewayClient]);

    private static IReadOnlyList<ManifestDocument> Documents(string authority, KeyPair server, KeyPair client) =>
    [
        new("the namespace", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{Namespace}}}"}}""", new ManifestHeader("v1", "Namespace", Namespace, null)),
        Secret("openshell-server-tls", "kubernetes.io/tls", ("tls.crt", server.CertificatePem), ("tls.key", server.KeyPem)),
        Secret("openshell-server-client-ca", "Opaque", ("ca.crt", authority)),
        Secret("openshell-client-tls", "kubernetes.io/tls", ("tls.crt", client.CertificatePem), ("tls.key", client.KeyPem), ("ca.crt", authority)),
    ];

    private static ManifestDocument Secret(string name, string type, params (string Key, string Value)[] data) => GatewayObjects.OfData("Secret", name, type, json =>
    {
        foreach (var (key, value) in data)
            json.WriteBase64String(key, Encoding.UTF8.GetBytes(value));
    });
}

using System.Text;

namespace OpenShell.Vm.Pki;

/// <summary>The text of a kubeconfig with everything in it. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/</summary>
internal static class Kubeconfig
{
    /// <summary>One cluster, one user, one context.</summary>
    /// <param name="cluster">The name of all three.</param>
    /// <param name="server">URL of the API server.</param>
    /// <param name="authority">The CA that signed the server's certificate, PEM.</param>
    /// <param name="user">The client's certificate and key.</param>
    public static string Text(string cluster, string server, string authority, KeyPair user) =>
        $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: {cluster}
          cluster:
            server: {server}
            certificate-authority-data: {Encode(authority)}
        users:
        - name: {cluster}
          user:
            client-certificate-data: {Encode(user.CertificatePem)}
            client-key-data: {Encode(user.KeyPem)}
        contexts:
        - name: {cluster}
          context:
            cluster: {cluster}
            user: {cluster}
        current-context: {cluster}

        """;

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

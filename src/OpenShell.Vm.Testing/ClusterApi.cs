using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Testing;

/// <summary>An HTTP client for the API server of a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/) with one cluster and one user, certificates inline.</summary>
internal static class ClusterApi
{
    internal static HttpClient Connect(string kubeconfig)
    {
        var document = new YamlStream();
        using (var text = File.OpenText(kubeconfig))
            document.Load(text);
        var root = (YamlMappingNode)document.Documents[0].RootNode;
        var cluster = Only(root, "clusters", "cluster");
        var user = Only(root, "users", "user");
        var authority = X509Certificate2.CreateFromPem(Pem(cluster, "certificate-authority-data"));
        var client = X509Certificate2.CreateFromPem(Pem(user, "client-certificate-data"), Pem(user, "client-key-data"));
        return new HttpClient(MutualTls.Handler(authority, client)) { BaseAddress = new Uri(Text(cluster, "server")) };
    }

    private static YamlMappingNode Only(YamlMappingNode root, string list, string value) =>
        (YamlMappingNode)((YamlMappingNode)((YamlSequenceNode)root.Children[list]).Children.Single()).Children[value];

    private static string Pem(YamlMappingNode node, string key) => Encoding.ASCII.GetString(Convert.FromBase64String(Text(node, key)));

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node.Children[key]).Value ?? "";
}

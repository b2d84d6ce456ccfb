using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Bootstrap;

/// <summary>The kubeconfig of an instance on the host (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/).</summary>
public static class Kubeconfig
{
    /// <summary>Of what the guest may say: certificates of authorities take some kilobytes. A kubeconfig is four deep, in a document, in a stream.</summary>
    private const int MaxLength = 64 << 10, MaxDepth = 8;

    /// <summary><c>~/.kube/gateway.yaml</c> for <c>default</c>, <c>~/.kube/gateway-NAME.yaml</c> for others.</summary>
    public static string PathFor(HostDirectories directories, string instance)
    {
        ArgumentNullException.ThrowIfNull(directories);
        return Path.Combine(directories.Kube, instance == InstanceName.Default ? "gateway.yaml" : $"gateway-{instance}.yaml");
    }

    /// <summary>The name of its cluster, context and user: unlike the guest's own names, distinct when several files are merged by KUBECONFIG.</summary>
    public static string NameFor(string instance) => "openshell-" + instance;

    /// <summary>
    /// Makes the host's kubeconfig of the certificates in the guest's. Nothing else of the guest's text gets into it: a kubeconfig may name programs
    /// to run, and the guest is not to choose what runs on the host. Pure.
    /// </summary>
    /// <exception cref="FaultException">It is not a kubeconfig with one cluster and one user with a certificate and its key (<c>bootstrap.kubeconfig-invalid</c>).</exception>
    internal static string FromGuest(string yaml, string instance, int apiServerPort)
    {
        try
        {
            RequirePlain(yaml);
            var document = new YamlStream();
            document.Load(new StringReader(yaml));
            var root = (YamlMappingNode)document.Documents[0].RootNode;
            var cluster = Only(root, "clusters", "cluster");
            var user = Only(root, "users", "user");

            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Text(cluster, "certificate-authority-data"));
            if (authorities.Count == 0)
                throw new CryptographicException("It has no CA certificate.");

            // Fails when the key is not the certificate's.
            using var client = X509Certificate2.CreateFromPem(Text(user, "client-certificate-data"), Text(user, "client-key-data"));
            using var key = client.GetECDsaPrivateKey() ?? throw new CryptographicException("Its client key is not an EC key.");
            return Compose(NameFor(instance), apiServerPort, authorities.ExportCertificatePems(), client.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        }
        catch (Exception e) when (e is YamlException or InvalidCastException or KeyNotFoundException or InvalidOperationException or ArgumentException or FormatException or CryptographicException)
        {
            throw new FaultException(
                new Fault
                {
                    Code = "bootstrap.kubeconfig-invalid",
                    Stage = BootStages.Bootstrap,
                    What = $"The guest's kubeconfig cannot be read: {GuestReply.Text(e.Message)}",
                    Remedy = "Build the image anew: 'gateway image build'.",
                },
                e);
        }
    }

    /// <summary>Writes it, readable by its owner only.</summary>
    internal static void Write(string path, string yaml)
    {
        PrivateFolder.Create(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(yaml));
    }

    /// <summary>Removes it, unless somebody has put another kubeconfig in its place.</summary>
    internal static void Remove(string path, string instance)
    {
        if (IsOurs(path, instance))
            File.Delete(path);
    }

    /// <summary>Whether there is one that was written here.</summary>
    internal static bool IsOurs(string path, string instance) => File.Exists(path) && File.ReadAllText(path).Contains(NameFor(instance), StringComparison.Ordinal);

    /// <summary>
    /// A tree is made of it by a function that calls itself for what is nested and follows aliases: of some twenty characters it makes endlessly much. So all of that is refused before, by the events of which the tree would be made.
    /// </summary>
    private static void RequirePlain(string yaml)
    {
        if (yaml.Length > MaxLength)
            throw new YamlException($"It has {yaml.Length} characters; at most {MaxLength} are read.");
        var parser = new Parser(new StringReader(yaml));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
                throw new YamlException("It is nested too deeply.");
            if (parser.Current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
                throw new YamlException("It has anchors or aliases.");
        }
    }

    private static YamlMappingNode Only(YamlMappingNode root, string list, string value) =>
        (YamlMappingNode)((YamlMappingNode)((YamlSequenceNode)root.Children[list]).Children.Single()).Children[value];

    private static string Text(YamlMappingNode node, string key) => Encoding.ASCII.GetString(Convert.FromBase64String(((YamlScalarNode)node.Children[key]).Value ?? ""));

    // The name has been checked by InstanceName, the rest is base64: nothing needs to be quoted.
    private static string Compose(string name, int port, string authorities, string certificate, string key) =>
        $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: {name}
          cluster:
            server: https://127.0.0.1:{port}
            certificate-authority-data: {Encode(authorities)}
        users:
        - name: {name}
          user:
            client-certificate-data: {Encode(certificate)}
            client-key-data: {Encode(key)}
        contexts:
        - name: {name}
          context:
            cluster: {name}
            user: {name}
        current-context: {name}

        """;

    private static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem + "\n"));
}

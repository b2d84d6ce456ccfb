using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Bootstrap;

/// <summary>The kubeconfig of an instance on the host (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/).</summary>
public static class Kubeconfig
{
    /// <summary><c>~/.kube/gateway.yaml</c> for <c>default</c>, <c>~/.kube/gateway-NAME.yaml</c> for others.</summary>
    public static string PathFor(HostDirectories directories, string instance)
    {
        ArgumentNullException.ThrowIfNull(directories);
        return Path.Combine(directories.Kube, instance == InstanceName.Default ? "gateway.yaml" : $"gateway-{instance}.yaml");
    }

    /// <summary>The name of its cluster, context and user: unlike the guest's own names, distinct when several files are merged by KUBECONFIG.</summary>
    public static string NameFor(string instance) => "openshell-" + instance;

    /// <summary>Points the guest's kubeconfig to the forwarded port and gives its entries the instance's name. Pure.</summary>
    /// <exception cref="FaultException">It is not a kubeconfig with one cluster, context and user (<c>bootstrap.kubeconfig-invalid</c>).</exception>
    internal static string Rewrite(string yaml, string instance, int apiServerPort)
    {
        try
        {
            var document = new YamlStream();
            document.Load(new StringReader(yaml));
            var root = (YamlMappingNode)document.Documents[0].RootNode;
            var name = NameFor(instance);

            var cluster = Only(root, "clusters");
            cluster["name"] = name;
            Map(cluster, "cluster")["server"] = $"https://127.0.0.1:{apiServerPort}";
            Only(root, "users")["name"] = name;
            var context = Only(root, "contexts");
            context["name"] = name;
            Map(context, "context")["cluster"] = name;
            Map(context, "context")["user"] = name;
            root.Children["current-context"] = name;

            var text = new StringWriter();
            document.Save(text, assignAnchors: false);

            // YamlDotNet ends a document with "...", which is valid but not what people expect in this file.
            return text.ToString().TrimEnd().TrimEnd('.').TrimEnd() + "\n";
        }
        catch (Exception e) when (e is YamlException or InvalidCastException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new FaultException(
                new Fault
                {
                    Code = "bootstrap.kubeconfig-invalid",
                    Stage = BootStages.Bootstrap,
                    What = $"The guest's kubeconfig cannot be read: {e.Message}",
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
        if (File.Exists(path) && File.ReadAllText(path).Contains(NameFor(instance), StringComparison.Ordinal))
            File.Delete(path);
    }

    private static IDictionary<YamlNode, YamlNode> Only(YamlMappingNode root, string list) =>
        ((YamlMappingNode)((YamlSequenceNode)root.Children[list]).Children.Single()).Children;

    private static IDictionary<YamlNode, YamlNode> Map(IDictionary<YamlNode, YamlNode> parent, string key) =>
        ((YamlMappingNode)parent[key]).Children;
}

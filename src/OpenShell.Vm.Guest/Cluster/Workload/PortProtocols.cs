using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// Writes out a port's protocol where a manifest leaves it to its default, TCP. Kubernetes before 1.21 tells ports apart by it in a server-side apply, and refuses one without
/// (https://github.com/kubernetes/kubernetes/issues/92332).
/// </summary>
internal static class PortProtocols
{
    private static readonly string[] Containers = ["containers", "initContainers"];

    /// <summary>Completes the ports of a Service, and those of the containers of a Pod or of what makes Pods.</summary>
    /// <returns>Whether one was missing.</returns>
    public static bool Complete(YamlMappingNode item)
    {
        // A custom resource may mean something else by the same names.
        if (Scalar(item, "apiVersion") is not ("v1" or "apps/v1" or "batch/v1" or "batch/v1beta1"))
            return false;
        if (Scalar(item, "kind") == "Service")
            return CompleteAll(Child(Child(item, "spec"), "ports"), "port");
        var isChanged = false;
        // A Pod, what has a template of one, and a CronJob, which has a template of a template.
        foreach (var pod in (YamlNode?[])[item, Template(item), Template(Child(Child(item, "spec"), "jobTemplate"))])
        {
            foreach (var containers in Containers)
            {
                foreach (var container in (Child(Child(pod, "spec"), containers) as YamlSequenceNode)?.Children ?? [])
                    isChanged |= CompleteAll(Child(container, "ports"), "containerPort");
            }
        }

        return isChanged;
    }

    private static YamlNode? Template(YamlNode? owner) => Child(Child(owner, "spec"), "template");

    private static bool CompleteAll(YamlNode? ports, string key)
    {
        var isChanged = false;
        foreach (var port in (ports as YamlSequenceNode)?.Children.OfType<YamlMappingNode>() ?? [])
        {
            if (Child(port, key) is null || Child(port, "protocol") is not null)
                continue;
            port.Add("protocol", "TCP");
            isChanged = true;
        }

        return isChanged;
    }

    private static string? Scalar(YamlMappingNode map, string key) => (Child(map, key) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlNode? node, string key) => node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}

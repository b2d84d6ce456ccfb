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
        if (item.Text("apiVersion") is not ("v1" or "apps/v1" or "batch/v1" or "batch/v1beta1"))
            return false;
        if (item.Text("kind") == "Service")
            return CompleteAll(item.Child("spec").Child("ports"), "port");
        var isChanged = false;
        // A Pod, what has a template of one, and a CronJob, which has a template of a template.
        foreach (var pod in (YamlNode?[])[item, Template(item), Template(item.Child("spec").Child("jobTemplate"))])
        {
            foreach (var containers in Containers)
            {
                foreach (var container in (pod.Child("spec").Child(containers) as YamlSequenceNode)?.Children ?? [])
                    isChanged |= CompleteAll(container.Child("ports"), "containerPort");
            }
        }

        return isChanged;
    }

    private static YamlNode? Template(YamlNode? owner) => owner.Child("spec").Child("template");

    private static bool CompleteAll(YamlNode? ports, string key)
    {
        var isChanged = false;
        foreach (var port in (ports as YamlSequenceNode)?.Children.OfType<YamlMappingNode>() ?? [])
        {
            if (port.Child(key) is null || port.Child("protocol") is not null)
                continue;
            port.Add("protocol", "TCP");
            isChanged = true;
        }

        return isChanged;
    }
}

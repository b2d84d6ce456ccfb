using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Ways into a tree of YAML that end where it does.</summary>
internal static class YamlNodes
{
    /// <summary>What a map has under a key; <see langword="null"/> if it has nothing there, or is no map.</summary>
    public static YamlNode? Child(this YamlNode? node, string key) => node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    /// <summary>The text under a key; <see langword="null"/> if there is none, or an empty one.</summary>
    public static string? Text(this YamlNode? node, string key) => node.Child(key) is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : null;
}

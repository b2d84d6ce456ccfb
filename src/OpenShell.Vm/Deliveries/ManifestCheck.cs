using System.Globalization;
using OpenShell.Vm.Faults;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Deliveries;

/// <summary>Reads manifests as the cluster will, so that a slip is told by line here and not minutes later there.</summary>
internal static class ManifestCheck
{
    private const string Remedy = "Correct the file; 'kubectl apply --dry-run=client -f FILE' says more.";

    /// <summary>What is wrong with a file; empty: nothing that shows without the cluster.</summary>
    public static IEnumerable<Fault> Faults(string path)
    {
        var yaml = new YamlStream();
        Fault? broken = null;
        try
        {
            using var reader = new StreamReader(path);
            yaml.Load(reader);
        }
        catch (YamlException e)
        {
            broken = Invalid(path, e.Start.Line, e.InnerException?.Message ?? e.Message);
        }

        if (broken is not null)
        {
            yield return broken;
            yield break;
        }

        // A document of comments alone is none.
        foreach (var root in yaml.Documents.Select(d => d.RootNode).Where(r => r is not YamlScalarNode { Value: null or "" }))
        {
            if (Problem(root) is { } problem)
                yield return Invalid(path, root.Start.Line, problem);
        }
    }

    private static string? Problem(YamlNode root)
    {
        if (root is not YamlMappingNode map)
            return "this is no Kubernetes object";
        if (Text(map, "apiVersion") is null)
            return "an object without apiVersion";
        if (Text(map, "kind") is not { } kind)
            return "an object without kind";
        return kind.EndsWith("List", StringComparison.Ordinal) || (Child(map, "metadata") is YamlMappingNode meta && (Text(meta, "name") ?? Text(meta, "generateName")) is not null)
            ? null
            : $"a {kind} without metadata.name";
    }

    private static YamlNode? Child(YamlMappingNode map, string key) => map.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    private static string? Text(YamlMappingNode map, string key) => Child(map, key) is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : null;

    private static Fault Invalid(string path, long line, string problem) =>
        DeliveryFaults.Make("manifest-invalid", string.Create(CultureInfo.InvariantCulture, $"--manifests {path}, line {line}: {problem.TrimEnd('.')}."), Remedy);
}

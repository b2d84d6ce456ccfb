using System.Globalization;
using OpenShell.Vm.Faults;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Deliveries;

/// <summary>Reads manifests as the cluster will, so that a slip is told by line here and not minutes later there.</summary>
internal static class ManifestCheck
{
    private const int Deepest = 200;

    private const string Remedy = "Correct the file; 'kubectl apply --dry-run=client -f FILE' says more.";

    /// <summary>What is wrong with a file; empty: nothing that shows without the cluster.</summary>
    public static IEnumerable<Fault> Faults(string path)
    {
        var yaml = new YamlStream();
        Fault? broken = null;
        try
        {
            var text = File.ReadAllText(path);
            RefuseTooDeep(text);
            using var reader = new StringReader(text);
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

    // The tree is built by recursion, which a hostile file could lead out of the stack. The guest has the same bound.
    private static void RefuseTooDeep(string text)
    {
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > Deepest)
                throw new YamlException(parser.Current.Start, parser.Current.End, $"it is nested deeper than {Deepest} levels");
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
        if (kind.EndsWith("List", StringComparison.Ordinal) && Child(map, "items") is YamlSequenceNode items)
            return items.Select(Problem).FirstOrDefault(p => p is not null);
        // What is applied must have a name of its own, as with kubectl: a generated one would be another each time.
        return Child(map, "metadata") is YamlMappingNode meta && Text(meta, "name") is not null ? null : $"a {kind} without metadata.name";
    }

    private static YamlNode? Child(YamlMappingNode map, string key) => map.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    private static string? Text(YamlMappingNode map, string key) => Child(map, key) is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : null;

    private static Fault Invalid(string path, long line, string problem) =>
        DeliveryFaults.Make("manifest-invalid", string.Create(CultureInfo.InvariantCulture, $"--manifests {path}, line {line}: {problem.TrimEnd('.')}."), Remedy);
}

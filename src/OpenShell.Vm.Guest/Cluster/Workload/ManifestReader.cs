using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// Takes a manifest, YAML or JSON, apart into its objects. Their text stays as it was written, since the API server reads YAML by rules of its own (<c>yes</c> is a boolean there);
/// only JSON, what comes out of a list, and what lacks a protocol of ports, is written anew. https://kubernetes.io/docs/concepts/overview/working-with-objects/
/// </summary>
internal static class ManifestReader
{
    // Kubernetes' own objects reach some twenty levels; the parser's tree is built by recursion, and PID 1 must not run out of stack.
    private const int Deepest = 200;

    /// <summary>The objects of a file; documents with nothing but comments are left out.</summary>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="text">Its text.</param>
    /// <exception cref="ManifestException">It is no YAML, or holds something that is no object; nothing of it is to be applied then.</exception>
    public static IReadOnlyList<ManifestDocument> Read(string name, string text)
    {
        try
        {
            var starts = Starts(name, text);
            var stream = new YamlStream();
            using var reader = new StringReader(text);
            stream.Load(new Parser(reader));
            var documents = new List<ManifestDocument>();
            for (var i = 0; i < stream.Documents.Count; i++)
            {
                var part = text[(i == 0 ? 0 : starts[i])..(i + 1 < starts.Count ? starts[i + 1] : text.Length)];
                if (stream.Documents[i].RootNode is not YamlScalarNode { Value: null or "" })
                    documents.AddRange(Objects(name, $"{name}, document {documents.Count + 1}", stream.Documents[i].RootNode, part));
            }

            return documents;
        }
        catch (YamlException e)
        {
            throw new ManifestException(name, e.Start.Line, e.InnerException?.Message ?? e.Message);
        }
    }

    /// <summary>Where the documents begin, in characters.</summary>
    private static List<int> Starts(string name, string text)
    {
        var starts = new List<int>();
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        for (var depth = 0; parser.MoveNext();)
        {
            var next = parser.Current!;
            if (next is DocumentStart)
                starts.Add((int)next.Start.Index);
            depth += next.NestingIncrease;
            if (depth > Deepest)
                throw new ManifestException(name, next.Start.Line, string.Create(CultureInfo.InvariantCulture, $"it is nested deeper than {Deepest} levels"));
        }

        return starts;
    }

    /// <summary>The object, or those of a list.</summary>
    private static List<ManifestDocument> Objects(string file, string source, YamlNode root, string text)
    {
        if (root is not YamlMappingNode map)
            throw new ManifestException(file, root.Start.Line, "an object was expected, and not a list or a text");
        if (map.Text("kind")?.EndsWith("List", StringComparison.Ordinal) != true || map.Child("items") is not YamlSequenceNode items)
        {
            // JSON knows the escape "\/", and the API server's reader of YAML does not.
            var isWritten = PortProtocols.Complete(map) || map.Style == MappingStyle.Flow;
            return [new ManifestDocument(source, isWritten ? Write(map) : text, Header(file, map))];
        }

        return [.. items.SelectMany((item, i) => Objects(file, string.Create(CultureInfo.InvariantCulture, $"{source}, item {i + 1}"), item, Write(item)))];
    }

    private static ManifestHeader Header(string file, YamlMappingNode map)
    {
        var metadata = map.Child("metadata");
        return new ManifestHeader(
            map.Text("apiVersion") ?? throw Lacks("apiVersion"),
            map.Text("kind") ?? throw Lacks("kind"),
            metadata.Text("name") ?? throw Lacks("metadata.name"),
            metadata.Text("namespace"));

        ManifestException Lacks(string what) => new(file, map.Start.Line, $"an object without {what}");
    }

    /// <summary>Plain scalars stay plain, so that they keep their meaning; all others are quoted, which loses nothing.</summary>
    private static string Write(YamlNode root)
    {
        foreach (var scalar in root.AllNodes.OfType<YamlScalarNode>().Where(s => s.Style is not ScalarStyle.Plain))
            scalar.Style = ScalarStyle.DoubleQuoted;
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        new YamlStream(new YamlDocument(root)).Save(new Emitter(writer, new EmitterSettings().WithBestWidth(int.MaxValue)), assignAnchors: false);
        return writer.ToString();
    }
}

/// <summary>A manifest that cannot be read.</summary>
/// <param name="name">The file.</param>
/// <param name="line">Where in it, from 1.</param>
/// <param name="problem">What is wrong.</param>
internal sealed class ManifestException(string name, long line, string problem)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"{name}, line {line}: {problem.TrimEnd('.')}"));

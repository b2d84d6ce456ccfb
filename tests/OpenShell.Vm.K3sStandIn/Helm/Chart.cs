using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.K3sStandIn.Helm;

/// <summary>A chart cannot be installed.</summary>
internal sealed class ChartException(string message) : Exception(message);

/// <summary>
/// A packaged chart (https://helm.sh/docs/topics/charts/) whose templates are plain YAML, or have the few actions that are declared here: <c>.Release.Name</c>,
/// <c>.Release.Namespace</c>, and scalars below <c>.Values</c>. All else is refused: this is no Helm.
/// </summary>
internal sealed partial class Chart
{
    private readonly SortedDictionary<string, string> _templates = new(StringComparer.Ordinal);
    private readonly List<YamlNode> _values = [];
    private bool _isChart;

    private Chart()
    {
    }

    /// <summary>Reads <c>NAME-VERSION.tgz</c>.</summary>
    /// <exception cref="ChartException">It is none, or one of those that the stand-in does not know.</exception>
    public static Chart Open(string file)
    {
        var chart = new Chart();
        try
        {
            using var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
            using var tar = new TarReader(packed);
            while (tar.GetNextEntry() is { } entry)
                chart.Add(entry);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new ChartException($"{Path.GetFileName(file)} is no tar.gz, or is cut off: {e.Message}");
        }

        return chart._isChart ? chart : throw new ChartException($"{Path.GetFileName(file)} has no Chart.yaml");
    }

    /// <summary>Puts values over those that there are.</summary>
    /// <exception cref="ChartException">They are no YAML.</exception>
    public void Override(string yaml)
    {
        if (Parse("valuesContent", yaml) is { } values)
            _values.Insert(0, values);
    }

    /// <summary>The manifests, in the order of the templates' names.</summary>
    /// <param name="release">The release's name.</param>
    /// <param name="space">Its namespace.</param>
    /// <param name="set">Single values by their paths, which come before all others.</param>
    /// <exception cref="ChartException">A template wants more than the stand-in knows.</exception>
    public IReadOnlyList<(string Source, string Text)> Render(string release, string space, IReadOnlyList<(string Path, string Value)> set)
    {
        return [.. _templates.Select(template => (template.Key, Action().Replace(template.Value, match => Value(template.Key, match.Groups[1].Value.Trim()))))];

        string Value(string template, string action) => action switch
        {
            ".Release.Name" => release,
            ".Release.Namespace" => space,
            _ when ValuePath().Match(action) is { Success: true } path => Find(path.Groups[1].Value, set)
                ?? throw new ChartException($"{template}: there is no scalar {action}"),
            _ => throw new ChartException($"{template}: the template action {{{{ {action} }}}} is beyond the stand-in, which is no Helm"),
        };
    }

    /// <summary>The values of a YAML document; <see langword="null"/> for an empty one.</summary>
    /// <exception cref="ChartException">It is no YAML.</exception>
    private static YamlMappingNode? Parse(string source, string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode as YamlMappingNode;
        }
        catch (YamlException e)
        {
            throw new ChartException($"{source}: {e.Message}");
        }
    }

    /// <summary>What a mapping has below a key; <see langword="null"/>: nothing.</summary>
    private static YamlNode? Child(YamlNode? node, string key) =>
        node is YamlMappingNode mapping && mapping.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    private void Add(TarEntry entry)
    {
        var parts = entry.Name.Split('/');
        if (parts is [_, "charts", .., not ""])
            throw new ChartException("the chart has charts of its own, which are beyond the stand-in");
        if (entry.DataStream is null)
            return;
        using var reader = new StreamReader(entry.DataStream, Encoding.UTF8);
        var text = reader.ReadToEnd();
        switch (parts)
        {
            case [_, "Chart.yaml"]:
                _isChart = true;
                break;
            case [_, "values.yaml"]:
                if (Parse("values.yaml", text) is { } values)
                    _values.Add(values);
                break;
            // What begins with an underscore only defines; NOTES.txt is for people. https://helm.sh/docs/chart_template_guide/named_templates/
            case [_, "templates", .., var name] when Path.GetExtension(name) is ".yaml" or ".yml" && !name.StartsWith('_'):
                _templates[string.Join('/', parts[1..])] = text;
                break;
        }
    }

    private string? Find(string path, IReadOnlyList<(string Path, string Value)> set)
    {
        if (set.FirstOrDefault(s => s.Path == path) is { Value: { } given })
            return given;
        return _values.Select(root => path.Split('.').Aggregate((YamlNode?)root, (node, key) => Child(node, key)))
            .OfType<YamlScalarNode>().FirstOrDefault()?.Value;
    }

    [GeneratedRegex(@"\{\{-?(.*?)-?\}\}", RegexOptions.Singleline)]
    private static partial Regex Action();

    [GeneratedRegex(@"^\.Values\.([A-Za-z0-9_.]+)$")]
    private static partial Regex ValuePath();
}

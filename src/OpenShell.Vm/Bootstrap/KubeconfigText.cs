using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Bootstrap;

/// <summary>
/// A kubeconfig that is somebody's own, as text: entries are put in and taken out where they stand, and every other character (comments, order, style) stays as it is. What was changed
/// is read again and compared, entry by entry, before anybody sees it. Block style and flow style, which JSON is a part of. Pure.
/// </summary>
internal sealed class KubeconfigText
{
    private const string Lists = "clusters users contexts";

    private string _text;
    private YamlMappingNode? _root;
    private Dictionary<long, int> _flowEnds;

    private KubeconfigText(string text)
    {
        _text = text;
        (_root, _flowEnds) = RootOf(text);
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">It is no kubeconfig: the message says why.</exception>
    internal static KubeconfigText Parse(string text) => new(text);

    /// <summary>All of it.</summary>
    public override string ToString() => _text;

    /// <summary>The context that is used when none is named; empty: none.</summary>
    internal string CurrentContext => _root is not null && Find(_root, "current-context") is YamlScalarNode { Value: { } value } ? value : "";

    /// <summary>An entry of a list, by its name.</summary>
    internal YamlMappingNode? Entry(string list, string name) => Items(list).FirstOrDefault(item => NameOf(item) == name);

    /// <summary>Puts an entry at the end of a list, in place of one of its name.</summary>
    internal void Set(string list, KubeconfigEntry entry)
    {
        var before = Snapshot(list, entry.Name);
        Cut(list, entry.Name);
        Insert(list, entry);
        Verify(before, list, entry.Name, expected: 1);
    }

    /// <summary>Takes an entry out; false: there was none.</summary>
    internal bool Remove(string list, string name)
    {
        if (Entry(list, name) is null)
            return false;
        var before = Snapshot(list, name);
        Cut(list, name);
        Verify(before, list, name, expected: 0);
        return true;
    }

    /// <summary>Makes a context the one that is used when none is named; empty: none is.</summary>
    internal void SetCurrentContext(string name)
    {
        var before = Snapshot("current-context", null);
        var value = name.Length == 0 ? "\"\"" : name;
        if (_root is not null && Find(_root, "current-context") is { } node)
            Replace(Index(node.Start), End(node), (IsEmptyPlain(node) ? " " : "") + (_root.Style == MappingStyle.Flow && name.Length > 0 ? $"\"{name}\"" : value));
        else
            AddKey("current-context", value, $"\"{name}\"");
        if (CurrentContext != name)
            throw Unsafe();
        Verify(before, "current-context", null, expected: 0);
    }

    private void Insert(string list, KubeconfigEntry entry)
    {
        if (_root is null || Find(_root, list) is not { } node)
        {
            AddKey(list, NewLine + Block(entry, ""), $"[{entry.Json}]");
            return;
        }

        if (node is YamlSequenceNode { Children: [.., var last] } sequence)
        {
            if (sequence.Style == SequenceStyle.Flow)
            {
                Replace(End(last), End(last), ", " + entry.Json);
                return;
            }

            var (start, end) = BlockItem(last);
            var indent = _text[LineStart(start)..start];
            Replace(end, end, (end == _text.Length && !_text.EndsWith('\n') ? NewLine : "") + Block(entry, indent) + NewLine);
            return;
        }

        // Empty: [], null, or nothing.
        if (_root.Style == MappingStyle.Flow)
        {
            Replace(Index(node.Start), End(node), $"[{entry.Json}]");
            return;
        }

        // A comment behind it stays on its line.
        var (from, until) = (Index(node.Start), End(node));
        while (_text[from - 1] == ' ')
            from--;
        _text = _text.Remove(from, until - from);
        var line = LineEnd(from);
        var needsBreak = line == _text.Length && !_text.EndsWith('\n');
        Replace(line, line, (needsBreak ? NewLine : "") + Block(entry, "") + NewLine);
    }

    private void Cut(string list, string name)
    {
        if (_root is null || Find(_root, list) is not YamlSequenceNode sequence)
            return;
        var index = sequence.Children.ToList().FindIndex(item => NameOf(item) == name);
        if (index < 0)
            return;
        var item = sequence.Children[index];
        if (sequence.Style == SequenceStyle.Flow)
        {
            var (from, until) = index > 0
                ? (End(sequence.Children[index - 1]), End(item))
                : (Index(item.Start), sequence.Children.Count > 1 ? Index(sequence.Children[1].Start) : End(item));
            Replace(from, until, "");
            return;
        }

        var (start, end) = BlockItem(item);
        var begin = LineStart(start);
        if (sequence.Children.Count > 1)
        {
            Replace(begin, end, "");
            return;
        }

        // The last one: "clusters:" alone would read as null, which kubectl takes; an empty list says what is meant.
        var key = _root.Children.Keys.OfType<YamlScalarNode>().Single(k => k.Value == list);
        var colon = _text.IndexOf(':', End(key)) + 1;
        _text = _text.Remove(begin, end - begin);
        Replace(colon, colon, " []");
    }

    /// <summary>Where an item of a block sequence stands: from its dash to the end of the line of the last thing in it. Comments behind that are the next one's, or the file's.</summary>
    private (int Start, int End) BlockItem(YamlNode item)
    {
        var dash = Index(item.Start) - 1;
        while (dash >= 0 && char.IsWhiteSpace(_text[dash]))
            dash--;
        if (dash < 0 || _text[dash] != '-' || _text[LineStart(dash)..dash].Any(c => c is not ' '))
            throw Unsafe();
        var last = Math.Max(Leaves(item).Max(leaf => End(leaf)), Index(item.Start));

        // A block scalar ends where the next line begins, others within their line.
        return (dash, last > 0 && _text[last - 1] == '\n' ? last : LineEnd(last));
    }

    private static IEnumerable<YamlNode> Leaves(YamlNode node) => node switch
    {
        YamlMappingNode { Style: not MappingStyle.Flow } mapping => mapping.Children.SelectMany(c => Leaves(c.Key).Concat(Leaves(c.Value))),
        YamlSequenceNode { Style: not SequenceStyle.Flow } sequence => sequence.Children.SelectMany(Leaves),
        _ => [node],
    };

    private void AddKey(string key, string block, string json)
    {
        if (_root is { Style: MappingStyle.Flow })
        {
            var end = End(_root) - 1;
            Replace(end, end, (_root.Children.Count > 0 ? ", " : "") + $"\"{key}\": {json}");
            return;
        }

        var head = _root is null ? $"apiVersion: v1{NewLine}kind: Config{NewLine}" : "";
        var separator = _text.Length > 0 && !_text.EndsWith('\n') ? NewLine : "";
        var value = block.StartsWith('\r') || block.StartsWith('\n') ? block : " " + block;
        Replace(_text.Length, _text.Length, $"{separator}{head}{key}:{value}{NewLine}");
    }

    private string Block(KubeconfigEntry entry, string indent) => indent + string.Join(NewLine + indent, entry.Lines);

    private string NewLine => _text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";

    private void Replace(int from, int until, string by)
    {
        _text = string.Concat(_text.AsSpan(0, from), by, _text.AsSpan(until));
        try
        {
            (_root, _flowEnds) = RootOf(_text);
        }
        catch (FormatException)
        {
            throw Unsafe();
        }
    }

    /// <summary>Everything that must be the same afterwards, by what it says and not by how it is written.</summary>
    private Dictionary<string, List<YamlNode>> Snapshot(string key, string? name)
    {
        var all = new Dictionary<string, List<YamlNode>>(StringComparer.Ordinal);
        foreach (var (node, value) in _root?.Children ?? new YamlMappingNode().Children)
        {
            var at = ((YamlScalarNode)node).Value!;
            if (at == key && name is null)
                continue;
            all[at] = at == key ? [.. Items(key).Where(item => NameOf(item) != name)] : value is YamlSequenceNode list ? [.. list.Children] : [value];
        }

        return all;
    }

    private void Verify(Dictionary<string, List<YamlNode>> before, string key, string? name, int expected)
    {
        var after = Snapshot(key, name);
        var same = before.All(e => (after.GetValueOrDefault(e.Key) ?? []).SequenceEqual(e.Value))
            && after.Keys.Except(before.Keys).All(added => added == key || added is "apiVersion" or "kind");
        if (!same || (name is not null && Items(key).Count(item => NameOf(item) == name) != expected))
            throw Unsafe();
    }

    private IEnumerable<YamlMappingNode> Items(string list) =>
        _root is not null && Find(_root, list) is YamlSequenceNode sequence ? sequence.Children.OfType<YamlMappingNode>() : [];

    private int LineStart(int at) => at == 0 ? 0 : _text.LastIndexOf('\n', at - 1) + 1;

    private int LineEnd(int at) => _text.IndexOf('\n', at) is var end and >= 0 ? end + 1 : _text.Length;

    private int End(YamlNode node) => node is YamlScalarNode ? Index(node.End) : _flowEnds.TryGetValue(node.Start.Index, out var end) ? end : throw Unsafe();

    private static int Index(Mark mark) => (int)mark.Index;

    private static bool IsEmptyPlain(YamlNode node) => node.Start.Index == node.End.Index;

    private static string? NameOf(YamlNode item) => item is YamlMappingNode mapping && Find(mapping, "name") is YamlScalarNode name ? name.Value : null;

    private static YamlNode? Find(YamlMappingNode mapping, string key) => mapping.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    private static (YamlMappingNode? Root, Dictionary<long, int> FlowEnds) RootOf(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new FormatException($"line {e.Start.Line}: {e.Message}", e);
        }

        if (stream.Documents.Count > 1)
            throw new FormatException("it has several documents");
        if (stream.Documents is not [{ RootNode: var node }] || node is YamlScalarNode { Value: null or "" })
            return (null, []);
        var root = node as YamlMappingNode ?? throw new FormatException("it is no mapping");
        if (root.Children.Keys.Any(key => key is not YamlScalarNode { Value: not null }))
            throw new FormatException("a key of it is no word");
        if (Find(root, "kind") is { } kind and not YamlScalarNode { Value: "Config" or "" or null })
            throw new FormatException($"its kind is {kind}");
        foreach (var list in Lists.Split(' '))
        {
            if (Find(root, list) is { } value and not YamlSequenceNode && value is not YamlScalarNode { Value: null or "" or "null" or "~" })
                throw new FormatException($"its {list} are no list");
        }

        return (root, FlowEndsOf(text));
    }

    /// <summary>Where each flow collection ends, by where it begins: the nodes themselves know the latter only.</summary>
    private static Dictionary<long, int> FlowEndsOf(string text)
    {
        var ends = new Dictionary<long, int>();
        var open = new Stack<(long Start, bool IsFlow)>();
        var parser = new Parser(new StringReader(text));
        while (parser.MoveNext())
        {
            switch (parser.Current)
            {
                case SequenceStart sequence:
                    open.Push((sequence.Start.Index, sequence.Style == SequenceStyle.Flow));
                    break;
                case MappingStart mapping:
                    open.Push((mapping.Start.Index, mapping.Style == MappingStyle.Flow));
                    break;
                case SequenceEnd or MappingEnd:
                    if (open.Pop() is (var start, true))
                        ends[start] = Index(parser.Current.Start) + 1; // the bracket; the mark of its end is that of its start too
                    break;
            }
        }

        return ends;
    }

    private static FormatException Unsafe() => new("it is written in a way in which entries cannot be changed without risk to others");
}

/// <summary>One entry of a kubeconfig's list, in both styles.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Lines">In block style, the first with its dash.</param>
/// <param name="Json">In flow style.</param>
internal sealed record KubeconfigEntry(string Name, IReadOnlyList<string> Lines, string Json)
{
    /// <summary>From its kind and what is in it; names and values need no quoting: names have been checked, the rest are addresses and base64.</summary>
    internal static KubeconfigEntry Of(string kind, string name, params (string Key, string Value)[] fields)
    {
        var json = new StringBuilder();
        foreach (var (key, value) in fields)
            json.Append(json.Length == 0 ? "" : ", ").Append($"\"{key}\": \"{value}\"");
        return new KubeconfigEntry(name, [$"- name: {name}", $"  {kind}:", .. fields.Select(f => $"    {f.Key}: {f.Value}")], $"{{\"name\": \"{name}\", \"{kind}\": {{{json}}}}}");
    }
}

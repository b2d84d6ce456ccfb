using System.Buffers;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// Takes a manifest apart into documents and reads four scalars of each, in the plain block style in which manifests are written. It is no YAML parser:
/// where it meets anything else (flow style, anchors, tags, multi-line scalars in metadata), it says that it does not know, and kubectl is asked instead.
/// https://yaml.org/spec/1.2.2/
/// </summary>
internal static class ManifestReader
{
    // Characters that mean something to YAML, and do not occur in names.
    private static readonly SearchValues<char> Special = SearchValues.Create("&*!|>{}[]\"'%@`\\");

    /// <summary>The documents of a file; those with nothing but comments are left out.</summary>
    public static IReadOnlyList<ManifestDocument> Read(string name, string text)
    {
        var documents = new List<ManifestDocument>();
        foreach (var part in Split(text))
        {
            if (HasContent(part))
                documents.Add(new ManifestDocument($"{name}, document {documents.Count + 1}", part, Header(part)));
        }

        return documents;
    }

    private static IEnumerable<string> Split(string text)
    {
        var start = 0;
        for (var line = 0; line < text.Length;)
        {
            var end = text.IndexOf('\n', line) is >= 0 and var newline ? newline + 1 : text.Length;
            // "---" alone, or followed by blank or comment.
            if (text.AsSpan(line, end - line).StartsWith("---") && Content(text.AsSpan(line + 3, end - line - 3)).Length == 0)
            {
                yield return text[start..line];
                start = end;
            }

            line = end;
        }

        yield return text[start..];
    }

    private static ManifestHeader? Header(string text)
    {
        string? apiVersion = null, kind = null, name = null, space = null;
        var indent = 0;
        var inMetadata = false;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var content = Content(line);
            if (content.Length == 0)
                continue;
            var depth = line.Length - line.TrimStart(' ').Length;
            if (depth == 0)
            {
                inMetadata = content is "metadata:";
                indent = 0;
                // A list of objects, or metadata in a style of its own.
                if (content.StartsWith("metadata:") && !inMetadata)
                    return null;
                apiVersion ??= Value(content, "apiVersion:");
                kind ??= Value(content, "kind:");
            }
            else if (inMetadata && (indent == 0 || depth == indent))
            {
                indent = depth;
                name ??= Value(content, "name:");
                space ??= Value(content, "namespace:");
            }
        }

        return apiVersion is null || kind is null || name is null || kind.EndsWith("List", StringComparison.Ordinal) ? null : new ManifestHeader(apiVersion, kind, name, space);
    }

    /// <summary>A line without blanks around it and without its comment.</summary>
    private static ReadOnlySpan<char> Content(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        if (line.Length > 0 && line[0] == '#')
            return [];
        var comment = line.IndexOf(" #");
        return comment < 0 ? line : line[..comment].TrimEnd();
    }

    /// <summary>The plain or quoted scalar after a key; <see langword="null"/> for another key, or a value that is more than that.</summary>
    private static string? Value(ReadOnlySpan<char> content, string key)
    {
        if (!content.StartsWith(key))
            return null;
        var value = content[key.Length..].Trim();
        if (value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0])
            value = value[1..^1];
        return value.Length == 0 || value.ContainsAny(Special) ? null : value.ToString();
    }

    private static bool HasContent(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (Content(line).Length > 0)
                return true;
        }

        return false;
    }
}

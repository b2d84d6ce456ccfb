namespace OpenShell.Vm.Images.Debian;

/// <summary>Debian's control format: stanzas of fields, apart by empty lines (https://www.debian.org/doc/debian-policy/ch-controlfields.html).</summary>
internal static class ControlFile
{
    /// <summary>Every stanza; field names compare without case, continuation lines are joined by newlines.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, string>> Parse(IEnumerable<string> lines)
    {
        var stanza = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var last = "";
        foreach (var line in lines)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                if (stanza.Count > 0)
                    yield return stanza;
                stanza = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            }
            else if (line[0] == '#')
            {
                continue;
            }
            else if (line[0] is ' ' or '\t')
            {
                if (last.Length > 0)
                    stanza[last] = stanza.GetValueOrDefault(last) is { Length: > 0 } so ? so + "\n" + line.Trim() : line.Trim();
            }
            else if (line.Split(':', 2) is [var name, var value])
            {
                last = name;
                stanza[name] = value.Trim();
            }
        }

        if (stanza.Count > 0)
            yield return stanza;
    }
}

namespace OpenShell.Vm.Images.Debian;

/// <summary>One line's worth of the host's apt sources: where a suite of an archive comes from.</summary>
/// <param name="Types"><c>deb</c>, <c>deb-src</c>.</param>
/// <param name="Uri">The archive's base, without a slash at its end; kept in memory and in apt's private configuration, never written into records.</param>
/// <param name="Suite">Such as <c>bookworm-security</c>.</param>
/// <param name="Components">Such as <c>main</c>.</param>
/// <param name="Options">Options that decide trust, as in one-line style: <c>signed-by</c>, <c>trusted</c>.</param>
internal sealed record AptSource(IReadOnlyList<string> Types, string Uri, string Suite, IReadOnlyList<string> Components, IReadOnlyDictionary<string, string> Options);

/// <summary>Reads apt's source lists, in both of their formats (https://manpages.debian.org/bookworm/apt/sources.list.5.en.html).</summary>
internal static class AptSources
{
    /// <summary>The enabled sources of this host.</summary>
    public static IReadOnlyList<AptSource> OfHost(string aptFolder = "/etc/apt")
    {
        var parts = Path.Combine(aptFolder, "sources.list.d");
        var files = new[] { Path.Combine(aptFolder, "sources.list") }
            .Concat(Directory.Exists(parts) ? Directory.EnumerateFiles(parts).Order(StringComparer.Ordinal) : [])
            .Where(File.Exists);
        return [.. files.SelectMany(file => Path.GetExtension(file) switch
        {
            ".list" => OneLine(File.ReadLines(file)),
            ".sources" => Stanzas(File.ReadLines(file)),
            _ => [],
        })];
    }

    /// <summary><c>deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror/debian bookworm main</c>.</summary>
    public static IEnumerable<AptSource> OneLine(IEnumerable<string> lines)
    {
        foreach (var raw in lines)
        {
            var line = raw.Split('#')[0].Trim();
            var options = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            if (line.IndexOf('[', StringComparison.Ordinal) is var open and > 0 && line.IndexOf(']', open) is var close and > 0)
            {
                foreach (var option in line[(open + 1)..close].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (option.Split('=', 2) is [var name, var value] && IsTrust(name))
                        options[name] = value;
                }

                line = line[..open] + line[(close + 1)..];
            }

            if (line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is ["deb" or "deb-src", var uri, var suite, .. var components])
                yield return new AptSource([line.Split((char[])[' ', '\t'])[0]], uri.TrimEnd('/'), suite, components, options);
        }
    }

    /// <summary>The deb822 format: stanzas of <c>Types</c>, <c>URIs</c>, <c>Suites</c>, <c>Components</c>, <c>Signed-By</c>.</summary>
    public static IEnumerable<AptSource> Stanzas(IEnumerable<string> lines)
    {
        foreach (var stanza in ControlFile.Parse(lines))
        {
            if (string.Equals(stanza.GetValueOrDefault("Enabled"), "no", StringComparison.OrdinalIgnoreCase))
                continue;
            var options = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            // A key that stands in the file itself cannot be said in one line; Debian's own keyring is used then.
            if (stanza.TryGetValue("Signed-By", out var key) && key.StartsWith('/'))
                options["signed-by"] = Words(key)[0];
            if (stanza.TryGetValue("Trusted", out var trusted))
                options["trusted"] = trusted;
            foreach (var uri in Words(stanza.GetValueOrDefault("URIs")))
            {
                foreach (var suite in Words(stanza.GetValueOrDefault("Suites")))
                    yield return new AptSource(Words(stanza.GetValueOrDefault("Types")), uri.TrimEnd('/'), suite, Words(stanza.GetValueOrDefault("Components")), options);
            }
        }
    }

    private static bool IsTrust(string option) => option.Equals("signed-by", StringComparison.OrdinalIgnoreCase) || option.Equals("trusted", StringComparison.OrdinalIgnoreCase);

    private static string[] Words(string? text) => (text ?? "").Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
}

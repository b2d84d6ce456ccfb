namespace OpenShell.Vm.Bundles.Sbom;

/// <summary>Identifiers of a document's elements: letters, digits, dots and hyphens, each once (https://spdx.github.io/spdx-spec/v2.3/package-information/#72-package-spdx-identifier-field).</summary>
internal sealed class SpdxIds
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal) { SpdxDocument.Id };

    /// <summary>One that nobody has yet.</summary>
    public string Take(params string[] words)
    {
        var id = "SPDXRef-" + string.Concat(string.Join('-', words).Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '-'));
        var free = id;
        for (var i = 2; !_taken.Add(free); i++)
            free = $"{id}-{i}";
        return free;
    }
}

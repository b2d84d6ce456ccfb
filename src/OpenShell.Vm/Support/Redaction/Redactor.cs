using System.Text;

namespace OpenShell.Vm.Support.Redaction;

/// <summary>What a text is.</summary>
public enum SupportContent
{
    /// <summary>Lines without structure: logs.</summary>
    Text,

    /// <summary>One document of JSON.</summary>
    Json,

    /// <summary>A document of JSON on each line.</summary>
    JsonLines,

    /// <summary>Documents of YAML.</summary>
    Yaml,
}

/// <summary>
/// Takes secrets out of what is to be given to others: by structure where a file has one, by pattern elsewhere, and everywhere what is known on this host to be secret. It errs on the side of taking out too much.
/// </summary>
/// <param name="known">Secrets themselves, which are taken out wherever they stand.</param>
public sealed class Redactor(IEnumerable<string> known)
{
    /// <summary>What stands in place of a secret.</summary>
    public const string Mark = "[redacted]";

    /// <summary>Shorter ones are words of a language too.</summary>
    private const int ShortestKnown = 6;

    // The longest first: one may be a part of another.
    private readonly string[] _known = [.. known.Select(k => k.Trim()).Where(k => k.Length >= ShortestKnown && k != Mark).Distinct().OrderByDescending(k => k.Length)];

    /// <summary>The text without secrets; a document that cannot be read as what it should be is taken for text.</summary>
    public string Redact(string text, SupportContent content)
    {
        ArgumentNullException.ThrowIfNull(text);
        return content switch
        {
            SupportContent.Json => new StructuredText(Text).Json(text, indented: true) is { } json ? json + "\n" : Text(text),
            SupportContent.JsonLines => Lines(text),
            SupportContent.Yaml => new StructuredText(Text).Yaml(text) ?? Text(text),
            _ => Text(text),
        };
    }

    private string Lines(string text)
    {
        var structured = new StructuredText(Text);
        var result = new StringBuilder(text.Length);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            result.Append(structured.Json(line, indented: false) ?? Text(line)).Append('\n');
        return result.ToString();
    }

    private string Text(string text)
    {
        foreach (var secret in _known)
            text = text.Replace(secret, Mark, StringComparison.Ordinal);
        return SecretPatterns.Redact(PrivateKeys.Redact(text));
    }
}

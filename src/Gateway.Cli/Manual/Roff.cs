using System.Text;

namespace OpenShell.Gateway.Cli.Manual;

/// <summary>Writes man(7) (https://man7.org/linux/man-pages/man7/man.7.html), so that no word of a text is ever taken for a request.</summary>
internal sealed class Roff
{
    // Of the source: it is read by people too.
    private const int Width = 70;

    private readonly StringBuilder _text = new();

    /// <summary>A request with arguments.</summary>
    public Roff Request(string name, params string[] arguments)
    {
        _text.Append('.').Append(name);
        foreach (var argument in arguments)
            _text.Append(" \"").Append(Escape(argument).Replace("\"", "\\(dq", StringComparison.Ordinal)).Append('"');
        _text.Append('\n');
        return this;
    }

    /// <summary>A line that is markup already.</summary>
    public Roff Markup(string line)
    {
        _text.Append(line).Append('\n');
        return this;
    }

    /// <summary>Sentences, each on lines of its own.</summary>
    public Roff Text(string text)
    {
        var line = "";
        foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + word.Length >= Width)
                Flush();
            line += (line.Length > 0 ? " " : "") + word;
            if (word.EndsWith('.') && word.Length > 2)
                Flush();
        }

        Flush();
        return this;

        void Flush()
        {
            if (line.Length > 0)
                _text.Append(Protected(Escape(line))).Append('\n');
            line = "";
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>Words as they are: a hyphen stays one that can be copied to a shell.</summary>
    public static string Escape(string text) => text
        .Replace("\\", "\\e", StringComparison.Ordinal)
        .Replace("-", "\\-", StringComparison.Ordinal)
        .Replace("'", "\\(aq", StringComparison.Ordinal)
        .Replace("`", "\\(ga", StringComparison.Ordinal)
        .Replace("^", "\\(ha", StringComparison.Ordinal)
        .Replace("~", "\\(ti", StringComparison.Ordinal);

    // A line that begins with a dot would be a request.
    private static string Protected(string line) => line[0] is '.' or '\'' ? "\\&" + line : line;
}

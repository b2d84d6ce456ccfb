namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>Words that a POSIX shell reads back as they were (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02).</summary>
internal static class ShellQuote
{
    private const string Plain = "%+,-./:=@_";

    /// <summary>Quotes a word if it needs it.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || Plain.Contains(c))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

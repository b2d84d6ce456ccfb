using System.Text;

namespace OpenShell.Vm.Supervision;

/// <summary>The end of a log file, for a message.</summary>
internal static class LogTail
{
    // Enough for the lines shown, even if they are long; a log may have gigabytes.
    private const int Window = 16 * 1024;

    /// <summary>The last lines that are not blank, without control characters; empty if there is no such file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="lines">How many at the most.</param>
    /// <param name="from">Where to begin, in bytes: what is before is of an earlier run.</param>
    internal static IReadOnlyList<string> Read(string path, int lines = 3, long from = 0)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            stream.Seek(-Math.Clamp(stream.Length - from, 0, Window), SeekOrigin.End);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return [.. reader.ReadToEnd()
                .Split('\n')
                .Select(line => string.Concat(line.Where(c => !char.IsControl(c))).Trim())
                .Where(line => line.Length > 0)
                .TakeLast(lines)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The last line of the end of a log that has a text in it, from that text on; <see langword="null"/>: none has.</summary>
    internal static string? Find(string path, string text) =>
        Read(path, int.MaxValue).LastOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found ? found[found.IndexOf(text, StringComparison.Ordinal)..] : null;

    /// <summary>For a sentence: <c> Its last words: "…".</c>, or nothing.</summary>
    internal static string LastWords(string path, long from = 0) => Read(path, 2, from) is { Count: > 0 } lines ? $" Its last words: \"{string.Join(" / ", lines)}\"." : "";
}

using System.Text;
using System.Text.RegularExpressions;

namespace OpenShell.Vm.Support.Redaction;

/// <summary>Private keys wherever they stand: as PEM (RFC 7468), whole, in one line with escaped line feeds, or with an end cut off; and as base64 of that, as kubeconfigs and Secrets have it.</summary>
internal static class PrivateKeys
{
    // An RSA key of 4096 bits has 3.2 KiB, one of 8192 bits 6.3: what is cut off is taken to be of that length at most.
    private const int Longest = 16 << 10;
    private const int Usual = 6500;

    private static readonly Regex Begin = new("-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    private static readonly Regex End = new("-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    private static readonly Regex Encoded = new("[A-Za-z0-9+/_-]{40,}={0,2}", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    /// <summary>Longer than any digest, and than the parts of a path: nothing of use to a reader is so long and in one piece.</summary>
    private const int Opaque = 200;

    /// <summary>SHA-512 in hexadecimal digits.</summary>
    private const int LongestDigest = 128;

    /// <summary>A line of PEM (RFC 7468).</summary>
    private const int PemLine = 64;

    internal static string Redact(string text) => Encoded.Replace(Blocks(text), m => IsKey(m.Value) ? Redactor.Mark : m.Value);

    private static string Blocks(string text)
    {
        if (!text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        var at = 0;
        while (at < text.Length)
        {
            var begin = Begin.Match(text, at);
            var end = End.Match(text, at);
            if (!begin.Success && !end.Success)
                break;
            if (!begin.Success || (end.Success && end.Index < begin.Index))
            {
                // The end of one whose beginning was in a part of the file that is not here.
                result.Append(text, at, Math.Max(at, end.Index - Usual) - at).Append(Redactor.Mark);
                at = end.Index + end.Length;
                continue;
            }

            result.Append(text, at, begin.Index - at).Append(Redactor.Mark);
            var close = End.Match(text, begin.Index + begin.Length);
            at = close.Success && close.Index - begin.Index < Longest ? close.Index + close.Length : Math.Min(text.Length, begin.Index + Usual);
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    private static bool IsKey(string run)
    {
        var bare = run.TrimEnd('=');
        if (bare.Length <= LongestDigest && bare.All(char.IsAsciiHexDigit))
            return false;
        if (bare.Length == PemLine && bare.Any(char.IsAsciiLetterUpper) && bare.Any(char.IsAsciiLetterLower) && bare.Any(char.IsAsciiDigit))
            return true;
        if (Decoded(bare) is not { } text)
            return bare.Length >= Opaque;
        return text.Contains("PRIVATE KEY", StringComparison.Ordinal) || (bare.Length >= Opaque && !text.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal));
    }

    private static string? Decoded(string run)
    {
        var plain = run.Replace('-', '+').Replace('_', '/');
        var whole = plain[..(plain.Length / 4 * 4)];
        var bytes = new byte[whole.Length];
        return Convert.TryFromBase64String(whole, bytes, out var count) ? Encoding.Latin1.GetString(bytes, 0, count) : null;
    }
}

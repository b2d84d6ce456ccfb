using System.Text.RegularExpressions;

namespace OpenShell.Vm.Support.Redaction;

/// <summary>Secrets in text without structure, by what stands before them or by how they look. All of it in time that is linear in the text: a guest decides what stands in its console.</summary>
internal static class SecretPatterns
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <summary>A value: in quotes (also ones that are escaped in a string of JSON), or up to what cannot belong to one.</summary>
    private const string Value = """(?<value>\\"[^"\r\n]*\\"|"(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'|[^\s"'\\]+)""";

    private static readonly Regex Header = new("""(?<key>(?:proxy-)?authorization["'\\]*\s*[:=]\s*["'\\]*)(?<value>[^\r\n"'\\]+)""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex Cookie = new("""(?<key>\bcookie["'\\]*\s*:\s*)(?<value>[^\r\n]+)""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex Scheme = new("""(?<key>\b(?:bearer|basic)\s+)(?<value>[A-Za-z0-9._~+/=-]{8,})""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex UserInfo = new("""(?<key>[A-Za-z][A-Za-z0-9+.-]*://)(?<value>[^/\s"'<>\\]*)@""", Options);
    private static readonly Regex BareUserInfo = new("""(?<value>[^\s:/@"'=,;\\]+:[^\s/"'@]+)@(?<host>[A-Za-z0-9][A-Za-z0-9.-]*)""", Options);
    private static readonly Regex Named = new($$"""(?<name>[\w.-]*(?:{{SecretNames.Pattern}})[\w.-]*)(?<key>["'\\]*\s*[:=]\s*){{Value}}""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex Auth = new($$"""(?<key>\b_?auth(?:token)?["'\\]*\s*[:=]\s*){{Value}}""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex Option = new($"""(?<name>--[\w-]*(?:{SecretNames.Pattern})[\w-]*)(?<key>["',]*\s+){Value}""", Options | RegexOptions.IgnoreCase);
    private static readonly Regex Netrc = new("""(?<key>\blogin\s+\S+\s+password\s+)(?<value>\S+)""", Options | RegexOptions.IgnoreCase);

    /// <summary>Tokens that show what they are: each with who gives it out.</summary>
    private static readonly Regex Tokens = new(
        string.Join('|',
        [
            @"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*", // JSON web tokens: service accounts, registries, OpenID
            "K10[0-9a-f]{64}::[^\\s\"']+", // k3s, with the cluster's digest
            @"\b[a-z0-9]{6}\.[a-z0-9]{16}\b", // kubeadm's and k3s's bootstrap tokens
            "gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}", // GitHub
            "gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{16,}", // GitLab
            "dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}", // Docker Hub
            "npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{20,}|oy2[a-z0-9]{43}", // npm, PyPI, NuGet
            "(?:AKIA|ASIA)[A-Z0-9]{16}", // Amazon
            @"AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]+", // Google
            "xox[abprse]-[A-Za-z0-9-]{8,}", // Slack
            @"\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{20,}", // OpenAI, Anthropic, Stripe
            "nvapi-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}", // NVIDIA, Hugging Face
            "AGE-SECRET-KEY-1[A-Z0-9]+", // age
            @"hv[sb]\.[A-Za-z0-9_-]{20,}", // Vault
        ]),
        Options);

    internal static string Redact(string text)
    {
        text = Header.Replace(text, Behind);
        text = Cookie.Replace(text, Behind);
        text = Scheme.Replace(text, m => m.Groups["value"].Value.All(char.IsAsciiLetterLower) ? m.Value : Behind(m));
        text = UserInfo.Replace(text, m => $"{m.Groups["key"].Value}{Redactor.Mark}@");
        text = BareUserInfo.Replace(text, m => m.Groups["host"].Value is "sha256" or "sha512" || m.Groups["value"].Value.EndsWith(Redactor.Mark, StringComparison.Ordinal) ? m.Value : $"{Redactor.Mark}@{m.Groups["host"].Value}");
        text = Named.Replace(text, m => SecretNames.IsSecret(m.Groups["name"].Value) ? m.Groups["name"].Value + Behind(m) : m.Value);
        text = Auth.Replace(text, Behind);
        text = Option.Replace(text, m => SecretNames.IsSecret(m.Groups["name"].Value) ? m.Groups["name"].Value + Behind(m) : m.Value);
        text = Netrc.Replace(text, Behind);
        return Tokens.Replace(text, Redactor.Mark);
    }

    // What quotes there are stay, so that what was a string is still one.
    private static string Behind(Match match)
    {
        var value = match.Groups["value"].Value;
        var quote = value.StartsWith("\\\"", StringComparison.Ordinal) ? "\\\"" : value is ['"' or '\'', ..] ? value[..1] : "";
        return $"{match.Groups["key"].Value}{quote}{Redactor.Mark}{quote}";
    }
}

namespace OpenShell.Vm.Support.Redaction;

/// <summary>Which names stand before secrets: of JSON and YAML members, of variables, of options.</summary>
internal static class SecretNames
{
    // As they are without case, dashes, dots and underscores.
    private static readonly string[] Parts =
    [
        "password", "passwd", "passphrase", "passcode", "secret", "token", "credential", "apikey", "accesskey", "privatekey", "signingkey", "encryptionkey", "clientkeydata", "keydata", "authorization", "cookie", "bearer",
    ];

    private static readonly string[] Whole = ["auth", "pass", "pwd", "psk", "userpass", "clientkey", "sessionid"];

    // Where a secret is kept is worth knowing, and none itself.
    private static readonly string[] Places = ["file", "path", "dir", "folder", "helper", "store", "url", "endpoint"];

    /// <summary>The same names for a search in text: they may have more before and behind them.</summary>
    internal const string Pattern = "pass-?_?word|passwd|passphrase|passcode|secret|token|credential|api[-_.]?key|access[-_.]?key|private[-_.]?key|signing[-_.]?key|encryption[-_.]?key|key[-_.]data|authorization|cookie|bearer";

    /// <summary>Whether what it names is not for others.</summary>
    internal static bool IsSecret(string name)
    {
        var plain = string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        return !Places.Any(p => plain.EndsWith(p, StringComparison.Ordinal))
            && (Whole.Contains(plain) || plain.EndsWith("auth", StringComparison.Ordinal) || Parts.Any(p => plain.Contains(p, StringComparison.Ordinal)));
    }
}

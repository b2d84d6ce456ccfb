namespace OpenShell.Vm.Bundles;

/// <summary>Every path in a bundle, and which paths there may be at all.</summary>
internal static class BundleNames
{
    /// <summary>What the bundle holds: always its first entry.</summary>
    public const string Manifest = "bundle.json";

    /// <summary>The SHA-256 of <see cref="Manifest"/> as sha256sum writes it: its second entry.</summary>
    public const string ManifestSum = "bundle.sha256";

    /// <summary>The bill of materials.</summary>
    public const string Sbom = "sbom.spdx.json";

    /// <summary>Files of the workload are numbered in it: their names may be longer than a tar's.</summary>
    public const string Workload = "workload";

    /// <summary>The program that made the bundle.</summary>
    public const string Command = "command";

    /// <summary>Records of artifacts that are in others.</summary>
    public const string ProvenanceFolder = "provenance";

    // The name field of a tar's header (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, ustar).
    public const int LongestPath = 100;

    // A manifest of a thousand parts has 400 KiB.
    public const int LongestManifest = 16 << 20;

    /// <summary>A file of an artifact.</summary>
    public static string Of(string artifact, string file) => $"artifacts/{artifact}/{file}";

    /// <summary>The record of an artifact that is in another, and not in the bundle by itself.</summary>
    public static string Provenance(string artifact) => $"{ProvenanceFolder}/{artifact}.json";

    /// <summary>Whether a path stays in the folder that it is unpacked in, on every system.</summary>
    public static bool IsSafe(string path) =>
        path.Length > 0 && !path.Contains('\\', StringComparison.Ordinal) && !path.Any(char.IsControl) && path.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>Whether a text is an artifact's kind and key, and so a folder of the cache.</summary>
    public static bool IsArtifact(string text) =>
        text.Split('/') is [{ Length: > 0 and <= 40 } kind, { Length: > 0 and <= 64 } key] && kind.All(IsWord) && key.All(IsWord);

    private static bool IsWord(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-';
}

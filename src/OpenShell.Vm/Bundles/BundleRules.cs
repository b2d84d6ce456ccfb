using System.Text;

namespace OpenShell.Vm.Bundles;

/// <summary>What a manifest must hold for anything to be done by it: above all that no path in it leads out of its folder.</summary>
internal static class BundleRules
{
    /// <summary>The first rule that it breaks, for a person; <see langword="null"/>: none.</summary>
    public static string? FirstBroken(BundleManifest manifest)
    {
        if (manifest is not { Start: not null, Parts: not null, Requirements: not null, FormatVersion: > 0, CreatedBy: not null, Architecture: not null })
            return "it lacks what every bundle has";
        var paths = new HashSet<string>(StringComparer.Ordinal) { BundleNames.Manifest, BundleNames.ManifestSum };
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in manifest.Parts)
        {
            if (part is not { Name: not null, Path: not null, Sha256: { Length: 64 } hash } || !hash.All(char.IsAsciiHexDigitLower))
                return "a part lacks its name, path or SHA-256";
            if (!BundleNames.IsSafe(part.Path) || Encoding.UTF8.GetByteCount(part.Path) > BundleNames.LongestPath)
                return $"the path '{part.Path}' leaves its folder, or is too long";
            if (part.Size is < 0 or > BundleHeader.LargestSize)
                return $"{part.Path} cannot have {part.Size} bytes";
            if (!paths.Add(part.Path))
                return $"it names {part.Path} twice";
            if (part.Artifact is { } artifact && (part.File is null || !BundleNames.IsArtifact(artifact) || !BundleNames.IsSafe(part.File) || !files.Add(artifact + "/" + part.File)))
                return $"{part.Path} is not a file of an artifact";
        }

        return manifest.Start.All.FirstOrDefault(file => !files.Contains(file)) is { } missing ? $"it starts {missing}, and has no such part" : null;
    }
}

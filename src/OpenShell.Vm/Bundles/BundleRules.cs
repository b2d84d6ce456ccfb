using System.Text;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>What a manifest must hold for anything to be done by it: above all that no path in it leads out of its folder.</summary>
internal static class BundleRules
{
    // What is read as a whole: the bill of materials and the records of artifacts.
    private const long LargestText = 64 << 20;

    /// <summary>The first rule that it breaks, for a person; <see langword="null"/>: none.</summary>
    public static string? FirstBroken(BundleManifest manifest)
    {
        if (manifest is not { Start: not null, Parts: not null, Requirements: not null, FormatVersion: > 0, CreatedBy: not null, Architecture: not null })
            return "it lacks what every bundle has";
        if (manifest.Start is not { ImageSet: not null, Distribution: not null, Kernel: not null, Root: not null, Gvproxy: not null } || manifest.Start.All.Contains(null))
            return "it does not say what it starts";
        if (manifest.Requirements.Any(r => r is not { Package: not null, Why: not null }))
            return "it does not name what it needs of the host";
        if (Told(manifest).Any(text => text.Any(char.IsControl)))
            return "a text in it has control characters";
        var paths = new HashSet<string>(StringComparer.Ordinal) { BundleNames.Manifest, BundleNames.ManifestSum };
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in manifest.Parts)
        {
            if (part is not { Name: not null, Path: not null, Sha256: { Length: 64 } hash } || !hash.All(char.IsAsciiHexDigitLower))
                return "a part lacks its name, path or SHA-256";
            if (!BundleNames.IsSafe(part.Path) || Encoding.UTF8.GetByteCount(part.Path) > BundleNames.LongestPath)
                return $"the path '{part.Path}' leaves its folder, or is too long";
            if (part.Size < 0 || part.Size > (IsText(part) ? LargestText : BundleHeader.LargestSize))
                return $"{part.Path} cannot have {part.Size} bytes";
            if (!paths.Add(part.Path))
                return $"it names {part.Path} twice";
            if (part.Artifact is { } artifact && (part.File is null || !BundleNames.IsArtifact(artifact) || !BundleNames.IsSafe(part.File) || !files.Add(artifact + "/" + part.File)))
                return $"{part.Path} is not a file of an artifact";
        }

        return manifest.Start.All.FirstOrDefault(file => !files.Contains(file!)) is { } missing ? $"it starts {missing}, and has no such part" : null;
    }

    private static bool IsText(BundlePart part) => part.Path == BundleNames.Sbom || part.File == CacheLayout.RecordFile || part.Path.StartsWith(BundleNames.ProvenanceFolder + "/", StringComparison.Ordinal);

    /// <summary>Every text that is told to the user.</summary>
    private static IEnumerable<string> Told(BundleManifest manifest) => new[]
        {
            manifest.CreatedBy, manifest.Architecture, manifest.Start.ImageSet, manifest.Start.Distribution, manifest.Start.DistributionVersion,
        }
        .Concat(manifest.Start.All)
        .Concat(manifest.Requirements.SelectMany(r => new[] { r.Package, r.MinimumVersion, r.Suite, r.Why }))
        .Concat(manifest.Parts.SelectMany(p => p is null ? [] : new[] { p.Name, p.From }))
        .OfType<string>();
}

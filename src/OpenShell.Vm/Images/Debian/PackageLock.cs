using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>What a recipe wants of Debian, as data. Equal requests share one resolution.</summary>
internal sealed record PackageRequest
{
    /// <summary>For the resolution's file name.</summary>
    public required string Name { get; init; }

    /// <summary>The release: <c>bookworm</c>, <c>trixie</c>.</summary>
    public required string Suite { get; init; }

    /// <summary>The packages asked for.</summary>
    public required IReadOnlyList<string> Packages { get; init; }

    /// <summary>What of them.</summary>
    public required PackageScope Scope { get; init; }

    /// <summary>Debian's name of the processor architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>The name of the file that holds the resolution: changes when the request does.</summary>
    public string LockName
    {
        get
        {
            var text = string.Join('\n', [Suite, Scope.ToString(), Architecture, .. Packages.Order(StringComparer.Ordinal)]);
            return Name + "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        }
    }
}

/// <summary>What of the packages asked for is wanted.</summary>
internal enum PackageScope
{
    /// <summary>A whole system: Debian's essential packages, those asked for, and all that they depend on.</summary>
    System,

    /// <summary>Just these, and where one of them is a mere pointer to a versioned one (<c>linux-image-cloud-amd64</c>), what it points to.</summary>
    Alone,

    /// <summary>The source packages.</summary>
    Source,
}

/// <summary>A resolution: exact versions with the hashes of the signed package lists. Written once, used until a refresh.</summary>
internal sealed record PackageLock
{
    /// <summary>The release that it was resolved in.</summary>
    public required string Suite { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset ResolvedAt { get; init; }

    /// <summary>The packages in apt's order of installation, or the files of a source package.</summary>
    public required IReadOnlyList<PinnedPackage> Packages { get; init; }

    /// <summary>What of it counts for content addresses.</summary>
    public IEnumerable<RecipeInput> Inputs => Packages.Select(p => new RecipeInput($"package {p.Name}", $"{p.Version} {p.Architecture} {p.File} {p.Sha256}"));
}

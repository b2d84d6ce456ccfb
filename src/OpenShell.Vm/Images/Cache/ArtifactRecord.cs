using System.Text.Json.Serialization;

namespace OpenShell.Vm.Images.Cache;

/// <summary>An artifact's provenance: what it is, what went in, what came out, how, when. No host name of a mirror, no path of this machine.</summary>
internal sealed record ArtifactRecord
{
    /// <summary>The artifact's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Its content address: SHA-256 over <see cref="Inputs"/>.</summary>
    public required string Key { get; init; }

    /// <summary>What it is, for a person.</summary>
    public required string Version { get; init; }

    /// <summary>All that determines the content, in the order in which it is hashed.</summary>
    public required IReadOnlyList<RecipeInput> Inputs { get; init; }

    /// <summary>The files, by name relative to the artifact's folder.</summary>
    public required IReadOnlyList<OutputFile> Outputs { get; init; }

    /// <summary>Packages of others that are in it or were used, with versions and hashes.</summary>
    public required IReadOnlyList<PinnedPackage> Packages { get; init; }

    /// <summary>Packages of NuGet that were restored to compile it; <see langword="null"/>: nothing of .NET is in it.</summary>
    public IReadOnlyList<RestoredPackage>? Restored { get; init; }

    /// <summary>The command lines that were run, in order; <c>$OUT</c>, <c>$CACHE</c> and <c>$SOURCE</c> stand for folders.</summary>
    public required IReadOnlyList<string> Commands { get; init; }

    /// <summary>Tools with their versions.</summary>
    public required IReadOnlyDictionary<string, string> Tools { get; init; }

    /// <summary>What was decided while building, such as which framework could be compiled natively.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>When the build ended, UTC.</summary>
    public required DateTimeOffset BuiltAt { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }
}

/// <summary>One thing that determines an artifact's content.</summary>
/// <param name="Name">Such as <c>file images/debian-root/packages.list</c>, <c>package busybox</c>, <c>artifact kernel</c>.</param>
/// <param name="Value">Its text, version or hash.</param>
internal sealed record RecipeInput(string Name, string Value);

/// <summary>A file of an artifact.</summary>
/// <param name="Name">Relative to the artifact's folder.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
internal sealed record OutputFile(string Name, long Size, string Sha256);

/// <summary>A package, or a file of a source package, at one version.</summary>
internal sealed record PinnedPackage
{
    /// <summary>The package's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>Its architecture: <c>amd64</c>, <c>all</c>, <c>source</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The distribution whose package it is, by its id in os-release; <see langword="null"/>: Debian.</summary>
    public string? Vendor { get; init; }

    /// <summary>SHA-256 of the file as the signed package list has it; empty where a base image has it installed, and nobody knows.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Size { get; init; }

    /// <summary>The file's name in the archive, for source packages.</summary>
    public string? File { get; init; }
}

/// <summary>A package of NuGet as it was restored.</summary>
/// <param name="Name">Its id, such as <c>Microsoft.DotNet.ILCompiler</c>.</param>
/// <param name="Version">Its version.</param>
/// <param name="Sha512">Of the package's file, lower-case hexadecimal; <see langword="null"/> where the restore did not record it.</param>
internal sealed record RestoredPackage(string Name, string Version, string? Sha512);

/// <summary>Size, times and inode of a file at the moment when its hash was known to be right.</summary>
internal sealed record FileStamp(long Size, ulong Inode, long ModifiedNanoseconds, long ChangedNanoseconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ArtifactRecord))]
[JsonSerializable(typeof(Dictionary<string, FileStamp>))]
[JsonSerializable(typeof(Debian.PackageLock))]
[JsonSerializable(typeof(Building.ToolchainLock))]
[JsonSerializable(typeof(Registry.BaseImageLock))]
internal sealed partial class CacheJson : JsonSerializerContext;

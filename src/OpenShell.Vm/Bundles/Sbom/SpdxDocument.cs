using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenShell.Vm.Bundles.Sbom;

/// <summary>A bill of materials in SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/), as far as it is used here. Names are the specification's.</summary>
internal sealed record SpdxDocument
{
    public const string Id = "SPDXRef-DOCUMENT";

    public string SpdxVersion { get; init; } = "SPDX-2.3";

    /// <summary>Of the document itself; the specification allows no other.</summary>
    public string DataLicense { get; init; } = "CC0-1.0";

    [JsonPropertyName("SPDXID")]
    public string SpdxId { get; init; } = Id;

    public required string Name { get; init; }

    public required string DocumentNamespace { get; init; }

    public required SpdxCreation CreationInfo { get; init; }

    public required IReadOnlyList<SpdxPackage> Packages { get; init; }

    public required IReadOnlyList<SpdxRelationship> Relationships { get; init; }

    public byte[] Bytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, SpdxJson.Readable.SpdxDocument), (byte)'\n'];
}

/// <summary>Who made the document, and when.</summary>
internal sealed record SpdxCreation(string Created, IReadOnlyList<string> Creators);

/// <summary>A package, an artifact, a program: whatever has a name and a version.</summary>
internal sealed record SpdxPackage
{
    /// <summary>What is not known, and not guessed.</summary>
    public const string NoAssertion = "NOASSERTION";

    [JsonPropertyName("SPDXID")]
    public required string SpdxId { get; init; }

    public required string Name { get; init; }

    public string? VersionInfo { get; init; }

    public string? PackageFileName { get; init; }

    public string DownloadLocation { get; init; } = NoAssertion;

    public bool FilesAnalyzed { get; init; }

    public string LicenseConcluded { get; init; } = NoAssertion;

    public string LicenseDeclared { get; init; } = NoAssertion;

    public string CopyrightText { get; init; } = NoAssertion;

    public IReadOnlyList<SpdxChecksum>? Checksums { get; init; }

    public IReadOnlyList<SpdxReference>? ExternalRefs { get; init; }

    public string? PrimaryPackagePurpose { get; init; }

    public string? Comment { get; init; }
}

/// <summary>A hash.</summary>
internal sealed record SpdxChecksum(string Algorithm, string ChecksumValue);

/// <summary>The same thing elsewhere.</summary>
internal sealed record SpdxReference(string ReferenceCategory, string ReferenceType, string ReferenceLocator)
{
    /// <summary>By a package URL (https://github.com/package-url/purl-spec).</summary>
    public static SpdxReference Purl(string purl) => new("PACKAGE-MANAGER", "purl", purl);
}

/// <summary>How two elements belong together.</summary>
internal sealed record SpdxRelationship(string SpdxElementId, string RelationshipType, string RelatedSpdxElement);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SpdxDocument))]
internal sealed partial class SpdxJson : JsonSerializerContext
{
    /// <summary>Versions have a plus, which is no risk in a file.</summary>
    public static SpdxJson Readable => field ??= new SpdxJson(new JsonSerializerOptions(Default.GeneratedSerializerOptions!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

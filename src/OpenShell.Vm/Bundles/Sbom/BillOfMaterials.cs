using System.Globalization;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Bundles.Sbom;

/// <summary>
/// What a bundle is made of, by the records of its artifacts: every package of Debian and of NuGet, every artifact that went into another. Licences are in no record, and so are not
/// asserted. The same records make the same document: its time is that of the youngest artifact.
/// </summary>
internal sealed class BillOfMaterials
{
    // What takes only some files out of another artifact is made from it; whatever else goes in, is in it as a whole.
    private static readonly HashSet<(string, string)> Partial =
    [
        (InitramfsRecipe.Name, DebianRootRecipe.Name), (InitramfsRecipe.Name, KernelRecipe.Name), (WorkloadRecipe.Name, DebianRootRecipe.Name),
        (RootRecipe.ClusterName, KernelRecipe.Name), (RootRecipe.ProgramName, KernelRecipe.Name),
    ];

    private readonly SpdxIds _ids = new();
    private readonly List<SpdxPackage> _packages = [];
    private readonly List<SpdxRelationship> _relationships = [];
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly string _bundle;

    /// <param name="name"><c>bundle</c> or <c>images</c>.</param>
    /// <param name="architecture">Debian's name of the processor.</param>
    /// <param name="createdBy"><c>gateway 0.1.0</c>.</param>
    /// <param name="artifacts">What is in it.</param>
    /// <param name="ingredients">What went into that.</param>
    /// <param name="command">The command that it carries.</param>
    public BillOfMaterials(string name, string architecture, string createdBy, IReadOnlyList<ArtifactRecord> artifacts, IReadOnlyList<ArtifactRecord> ingredients, CommandFiles? command)
    {
        var all = artifacts.Concat(ingredients).DistinctBy(r => $"{r.Kind}/{r.Key}").ToList();
        _bundle = Add(new SpdxPackage
        {
            SpdxId = _ids.Take(name),
            Name = $"openshell-vm-{name}-{architecture}",
            VersionInfo = createdBy.Split(' ')[^1],
            PrimaryPackagePurpose = "ARCHIVE",
        });
        Relate(SpdxDocument.Id, "DESCRIBES", _bundle);
        foreach (var record in all)
            _known[$"{record.Kind}/{record.Key}"] = Add(Artifact(record));
        foreach (var record in artifacts)
            Relate(_bundle, "CONTAINS", _known[$"{record.Kind}/{record.Key}"]);
        foreach (var record in all)
            Describe(record);
        if (command is not null)
            Describe(command, createdBy);
        Document = new SpdxDocument
        {
            Name = $"openshell-vm-{name}-{architecture}",
            // Names the content, and leads nowhere: no document is published there.
            DocumentNamespace = $"https://spdx.org/spdxdocs/openshell-vm-{name}-{Keys.Hash(all.Select(r => new RecipeInput(r.Kind, r.Key)).Append(new RecipeInput("by", createdBy)).Append(new RecipeInput("command", string.Join(' ', command?.Packages ?? []))))}",
            CreationInfo = new SpdxCreation(
                all.Select(r => r.BuiltAt).DefaultIfEmpty(DateTimeOffset.UnixEpoch).Max().ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                ["Tool: " + createdBy.Replace(' ', '-')]),
            Packages = _packages,
            Relationships = _relationships,
        };
    }

    /// <summary>The bill.</summary>
    public SpdxDocument Document { get; }

    /// <summary>As JSON.</summary>
    public byte[] Bytes() => Document.Bytes();

    private SpdxPackage Artifact(ArtifactRecord record) => new()
    {
        SpdxId = _ids.Take("artifact", record.Kind, record.Key),
        Name = record.Kind,
        // "1.20.2 (Debian 1.20.5+really1.20.2-1.1)": what it is, and then whose; the package itself is an element of its own.
        VersionInfo = record.Version.Split(" (Debian ")[0],
        PackageFileName = record.Outputs is [var only] ? only.Name : null,
        Checksums = record.Outputs is [var single] ? [new SpdxChecksum("SHA256", single.Sha256)] : null,
        PrimaryPackagePurpose = Purpose(record.Kind),
        Comment = string.Join("; ", [$"content address {record.Key}", .. record.Outputs is [_] ? (string[])[] : record.Outputs.Select(o => $"{o.Name} SHA256 {o.Sha256}"), .. BuiltWith(record), .. Gaps(record)]),
    };

    // SPDX 2.3, 7.24: one of a fixed list.
    private static string Purpose(string kind) => kind switch
    {
        KernelRecipe.Name or BundledArtifact.KernelFileKind or "kernel-custom-amd64" or "kernel-custom-arm64" => "OPERATING-SYSTEM",
        DebianRootRecipe.Name or DebianRootRecipe.K3sName or RootRecipe.ClusterName or RootRecipe.ProgramName or RootRecipe.K3sName or InitramfsRecipe.Name => "ARCHIVE",
        WorkloadRecipe.Name => "CONTAINER",
        BundledArtifact.WorkloadKind => "OTHER",
        _ => "APPLICATION",
    };

    // Packages of the host that built it: some leave bytes in it (libc6-dev in a static program).
    private static string[] BuiltWith(ArtifactRecord record) =>
        record.Tools.Count == 0 ? [] : ["built with " + string.Join(", ", record.Tools.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key} {t.Value}"))];

    private static string[] Gaps(ArtifactRecord record) => record switch
    {
        { Restored: null } when record.Inputs.FirstOrDefault(i => i.Name == "sdk") is { } sdk => [$"compiled by the .NET SDK {sdk.Value}; the packages of NuGet were not recorded when it was built"],
        { Kind: BundledArtifact.WorkloadKind or BundledArtifact.KernelFileKind } => ["given by whoever made the bundle; what is in it is not known"],
        { Kind: KubernetesRecipe.Name } => ["the Go modules that its source package carries are not listed one by one"],
        { Kind: K3sRecipe.Name } => ["what its program and its air-gap images are made of is not listed one by one"],
        _ => [],
    };

    private void Describe(ArtifactRecord record)
    {
        var own = _known[$"{record.Kind}/{record.Key}"];
        foreach (var id in ArtifactIngredients.Of(record).Where(_known.ContainsKey))
            Relate(own, Partial.Contains((record.Kind, id.Split('/')[0])) ? "GENERATED_FROM" : "CONTAINS", _known[id]);
        foreach (var package in record.Packages.Where(p => p.Architecture != "source"))
            Relate(own, record.Kind.StartsWith("kernel-custom-", StringComparison.Ordinal) ? "GENERATED_FROM" : "CONTAINS", Debian(package));
        foreach (var source in record.Packages.Where(p => p.Architecture == "source").GroupBy(p => (p.Name, p.Version)))
            Relate(own, "GENERATED_FROM", Source(source.Key.Name, source.Key.Version, [.. source]));
        foreach (var package in record.Restored ?? [])
            Relate(own, "GENERATED_FROM", NuGet(package));
        if (record.Restored?.FirstOrDefault(p => p.Name.StartsWith("Microsoft.NETCore.App.Runtime.", StringComparison.Ordinal) || p.Name == "Microsoft.DotNet.ILCompiler") is { } runtime)
            Relate(own, "CONTAINS", Runtime(runtime.Version));
        if (record.Kind == BundledArtifact.WorkloadKind)
        {
            foreach (var file in record.Outputs)
                Relate(own, "CONTAINS", Add(new SpdxPackage { SpdxId = _ids.Take("workload", file.Name), Name = Path.GetFileName(file.Name), PackageFileName = file.Name, Checksums = [new SpdxChecksum("SHA256", file.Sha256)], PrimaryPackagePurpose = "FILE" }));
        }
    }

    private void Describe(CommandFiles command, string createdBy)
    {
        var own = Add(new SpdxPackage { SpdxId = _ids.Take("command"), Name = createdBy.Split(' ')[0], VersionInfo = createdBy.Split(' ')[^1], PrimaryPackagePurpose = "APPLICATION", Comment = command.IsNative ? "native code, with the runtime of .NET in it" : "runs on the host's runtime of .NET" });
        Relate(_bundle, "CONTAINS", own);
        Relate(own, command.IsNative ? "CONTAINS" : "DEPENDS_ON", Runtime(command.Runtime));
        foreach (var package in command.Packages)
            Relate(own, "CONTAINS", NuGet(package));
    }

    private string Debian(PinnedPackage package) => Once($"deb {package.Name} {package.Version} {package.Architecture}", () => new SpdxPackage
    {
        SpdxId = _ids.Take("deb", package.Name, package.Version, package.Architecture),
        Name = package.Name,
        VersionInfo = package.Version,
        PackageFileName = package.File,
        Checksums = package.Sha256.Length > 0 ? [new SpdxChecksum("SHA256", package.Sha256)] : null,
        ExternalRefs = [SpdxReference.Purl(PackageUrls.Debian(package.Name, package.Version, package.Architecture, package.Vendor))],
        Comment = "architecture " + package.Architecture + (package.Sha256.Length > 0 ? "" : "; as the base image's dpkg has it, which keeps no hash"),
    });

    private string Source(string name, string version, IReadOnlyList<PinnedPackage> files)
    {
        // The .dsc names all other files with their hashes.
        var description = files.FirstOrDefault(f => f.File?.EndsWith(".dsc", StringComparison.Ordinal) is true) ?? files[0];
        return Once($"dsc {name} {version}", () => new SpdxPackage
        {
            SpdxId = _ids.Take("deb", name, version, "source"),
            Name = name,
            VersionInfo = version,
            PackageFileName = description.File,
            Checksums = [new SpdxChecksum("SHA256", description.Sha256)],
            ExternalRefs = [SpdxReference.Purl(PackageUrls.Debian(name, version, "source"))],
            PrimaryPackagePurpose = "SOURCE",
            Comment = string.Join("; ", files.Where(f => f != description).Select(f => $"{f.File} SHA256 {f.Sha256}").Prepend("architecture source")),
        });
    }

    private string NuGet(RestoredPackage package) => Once($"nuget {package.Name} {package.Version}", () => new SpdxPackage
    {
        SpdxId = _ids.Take("nuget", package.Name, package.Version),
        Name = package.Name,
        VersionInfo = package.Version,
        Checksums = package.Sha512 is { } sum ? [new SpdxChecksum("SHA512", sum)] : null,
        ExternalRefs = [SpdxReference.Purl(PackageUrls.NuGet(package.Name, package.Version))],
        PrimaryPackagePurpose = "LIBRARY",
    });

    private string Runtime(string version) => Once($"runtime {version}", () => new SpdxPackage { SpdxId = _ids.Take("dotnet-runtime", version), Name = ".NET runtime", VersionInfo = version, PrimaryPackagePurpose = "FRAMEWORK" });

    private string Once(string key, Func<SpdxPackage> make) => _known.TryGetValue(key, out var id) ? id : _known[key] = Add(make());

    private string Add(SpdxPackage package)
    {
        _packages.Add(package);
        return package.SpdxId;
    }

    private void Relate(string from, string how, string to)
    {
        var relationship = new SpdxRelationship(from, how, to);
        if (!_relationships.Contains(relationship))
            _relationships.Add(relationship);
    }
}

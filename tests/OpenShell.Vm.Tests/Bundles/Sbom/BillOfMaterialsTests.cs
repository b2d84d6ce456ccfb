using System.Text.Json;
using System.Text.RegularExpressions;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Bundles.Sbom;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Bundles.Sbom;

/// <summary>The rules of SPDX 2.3 that a reader relies on, each by the chapter that has it, and what this project promises beyond.</summary>
public sealed partial class BillOfMaterialsTests
{
    private static readonly ArtifactRecord Kubernetes = Record("kubernetes", "1.20.2 (Debian 1.20.5+really1.20.2-1.1+deb12u1)") with
    {
        Packages =
        [
            Package("kubernetes", "1.20.5+really1.20.2-1.1", "source") with { File = "kubernetes_1.20.2-1.1.debian.tar.xz" },
            Package("kubernetes", "1.20.5+really1.20.2-1.1", "source") with { File = "kubernetes_1.20.2-1.1.dsc", Sha256 = new string('d', 64) },
        ],
    };

    private static readonly ArtifactRecord Debian = Record("debian-root", "Debian bookworm, 3 packages") with
    {
        Packages = [Package("libstdc++6", "12.2.0-14+deb12u1", "amd64"), Package("tzdata", "2024a-0+deb12u1", "all"), Package("zlib1g", "1:1.2.13.dfsg-1~x", "amd64")],
    };

    private static readonly ArtifactRecord Guest = Record("guest", "net10.0, 9678 KiB") with
    {
        Restored = [new RestoredPackage("Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64", "10.0.12", new string('e', 128)), new RestoredPackage("Microsoft.DotNet.ILCompiler", "10.0.12", null)],
    };

    private static readonly ArtifactRecord Kernel = Record("kernel", "6.1.0-56-cloud-amd64 (Debian 6.1.192-2)") with
    {
        Packages = [Package("linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "amd64")],
        Outputs = [new OutputFile("config", 1, new string('1', 64)), new OutputFile("kernel", 2, new string('2', 64))],
    };

    private static readonly ArtifactRecord Root = Record("root", "squashfs, 247 MiB") with
    {
        Inputs = [new RecipeInput("artifact debian-root", Debian.Key), new RecipeInput("artifact kernel", Kernel.Key), new RecipeInput("artifact guest", Guest.Key), new RecipeInput("artifact kubernetes", Kubernetes.Key)],
        BuiltAt = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.FromHours(2)),
    };

    private static readonly CommandFiles Command = new([("gateway", "/gateway")], [new RestoredPackage("Spectre.Console", "0.49.1", new string('f', 128))], "10.0.12");

    private readonly JsonElement _bill = JsonDocument.Parse(Bill().Bytes()).RootElement;

    private IReadOnlyList<JsonElement> Packages => [.. _bill.GetProperty("packages").EnumerateArray()];

    private IReadOnlyList<(string From, string How, string To)> Relationships =>
        [.. _bill.GetProperty("relationships").EnumerateArray().Select(r => (Text(r, "spdxElementId"), Text(r, "relationshipType"), Text(r, "relatedSpdxElement")))];

    [Fact]
    public void Chapter_6_the_document_has_what_it_must_have()
    {
        Text(_bill, "spdxVersion").ShouldBe("SPDX-2.3");
        Text(_bill, "dataLicense").ShouldBe("CC0-1.0");
        Text(_bill, "SPDXID").ShouldBe("SPDXRef-DOCUMENT");
        Text(_bill, "name").ShouldNotBeEmpty();
        var space = new Uri(Text(_bill, "documentNamespace"), UriKind.Absolute);
        space.Fragment.ShouldBeEmpty("a namespace must have no '#'");
        var creation = _bill.GetProperty("creationInfo");
        Text(creation, "created").ShouldBe("2026-03-04T03:06:07Z", "UTC, to the second: that of the youngest artifact");
        creation.GetProperty("creators").EnumerateArray().Select(c => c.GetString()).ShouldBe(["Tool: gateway-0.1.0"]);
    }

    [Fact]
    public void Chapter_7_every_package_has_what_it_must_have_and_asserts_nothing_that_is_not_known()
    {
        foreach (var package in Packages)
        {
            Text(package, "SPDXID").ShouldMatch(@"^SPDXRef-[A-Za-z0-9.\-]+$");
            Text(package, "name").ShouldNotBeEmpty();
            foreach (var field in (string[])["downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"])
                Text(package, field).ShouldBe("NOASSERTION");

            // Otherwise a verification code and the files themselves would have to follow (7.8).
            package.GetProperty("filesAnalyzed").GetBoolean().ShouldBeFalse();
            package.TryGetProperty("files", out _).ShouldBeFalse();
            if (package.TryGetProperty("primaryPackagePurpose", out var purpose))
                purpose.GetString().ShouldBeOneOf("APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE", "FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER");
            if (package.TryGetProperty("checksums", out var checksums))
            {
                foreach (var checksum in checksums.EnumerateArray())
                    Text(checksum, "checksumValue").ShouldMatch(Text(checksum, "algorithm") == "SHA256" ? "^[0-9a-f]{64}$" : "^[0-9a-f]{128}$");
            }

            if (package.TryGetProperty("externalRefs", out var references))
            {
                foreach (var reference in references.EnumerateArray())
                {
                    Text(reference, "referenceCategory").ShouldBe("PACKAGE-MANAGER");
                    Text(reference, "referenceType").ShouldBe("purl");
                    Purl().IsMatch(Text(reference, "referenceLocator")).ShouldBeTrue(Text(reference, "referenceLocator"));
                }
            }
        }

        Packages.Select(p => Text(p, "SPDXID")).ShouldBeUnique();
    }

    [Fact]
    public void Chapter_11_every_relationship_resolves_and_everything_is_reached_from_the_document()
    {
        var ids = Packages.Select(p => Text(p, "SPDXID")).Append("SPDXRef-DOCUMENT").ToHashSet();
        Relationships.ShouldAllBe(r => ids.Contains(r.From) && ids.Contains(r.To));
        Relationships.Select(r => r.How).Distinct().ShouldBeSubsetOf(["DESCRIBES", "CONTAINS", "GENERATED_FROM", "DEPENDS_ON"]);
        Relationships.Where(r => r.How == "DESCRIBES").ShouldHaveSingleItem().From.ShouldBe("SPDXRef-DOCUMENT");
        Relationships.ShouldBeUnique();

        var reached = new HashSet<string> { "SPDXRef-DOCUMENT" };
        for (var before = 0; before < reached.Count;)
        {
            before = reached.Count;
            reached.UnionWith(Relationships.Where(r => reached.Contains(r.From)).Select(r => r.To));
        }

        reached.ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public void Every_package_of_Debian_is_there_with_version_architecture_hash_and_purl()
    {
        Of("libstdc++6", "12.2.0-14+deb12u1", "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64");
        Of("tzdata", "2024a-0+deb12u1", "pkg:deb/debian/tzdata@2024a-0%2Bdeb12u1?arch=all");
        Of("zlib1g", "1:1.2.13.dfsg-1~x", "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1~x?arch=amd64");
        Of("linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "pkg:deb/debian/linux-image-6.1.0-56-cloud-amd64@6.1.192-2?arch=amd64");

        void Of(string name, string version, string purl)
        {
            var package = Find(name);
            Text(package, "versionInfo").ShouldBe(version);
            Text(package.GetProperty("externalRefs")[0], "referenceLocator").ShouldBe(purl);
            Text(package.GetProperty("checksums")[0], "checksumValue").ShouldBe(new string('a', 64));
        }
    }

    [Fact]
    public void Kubernetes_and_the_kernel_are_there_with_their_versions_and_what_they_come_from()
    {
        var kubernetes = Packages.Single(p => Text(p, "SPDXID").StartsWith("SPDXRef-artifact-kubernetes", StringComparison.Ordinal));
        Text(kubernetes, "versionInfo").ShouldBe("1.20.2");
        var source = Packages.Single(p => p.TryGetProperty("primaryPackagePurpose", out var purpose) && purpose.ValueEquals("SOURCE"));
        Text(source, "packageFileName").ShouldBe("kubernetes_1.20.2-1.1.dsc");
        Text(source.GetProperty("checksums")[0], "checksumValue").ShouldBe(new string('d', 64));
        Text(source, "comment").ShouldContain("kubernetes_1.20.2-1.1.debian.tar.xz SHA256 " + new string('a', 64));
        Relationships.ShouldContain((Text(kubernetes, "SPDXID"), "GENERATED_FROM", Text(source, "SPDXID")));

        var kernel = Packages.Single(p => Text(p, "SPDXID").StartsWith("SPDXRef-artifact-kernel", StringComparison.Ordinal));
        Text(kernel, "versionInfo").ShouldBe("6.1.0-56-cloud-amd64");
        Relationships.ShouldContain((Text(kernel, "SPDXID"), "CONTAINS", Text(Find("linux-image-6.1.0-56-cloud-amd64"), "SPDXID")));
        var root = Packages.Single(p => Text(p, "SPDXID").StartsWith("SPDXRef-artifact-root", StringComparison.Ordinal));
        Relationships.ShouldContain((Text(root, "SPDXID"), "GENERATED_FROM", Text(kernel, "SPDXID")), "only the kernel's modules are in it");
        Relationships.ShouldContain((Text(root, "SPDXID"), "CONTAINS", Text(kubernetes, "SPDXID")));
    }

    [Fact]
    public void The_packages_of_NuGet_and_the_runtime_are_there()
    {
        Text(Find("Spectre.Console").GetProperty("externalRefs")[0], "referenceLocator").ShouldBe("pkg:nuget/Spectre.Console@0.49.1");
        Text(Find("Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64").GetProperty("checksums")[0], "algorithm").ShouldBe("SHA512");
        Find("Microsoft.DotNet.ILCompiler").TryGetProperty("checksums", out _).ShouldBeFalse();
        Text(Find(".NET runtime"), "versionInfo").ShouldBe("10.0.12");
    }

    [Fact]
    public void What_was_not_recorded_is_said_instead_of_guessed()
    {
        var old = Guest with { Restored = null, Inputs = [new RecipeInput("sdk", "10.0.401")] };
        var bill = new BillOfMaterials("images", "amd64", "gateway 0.1.0", [old], [], null).Document;
        bill.Packages.Single(p => p.Name == "guest").Comment!.ShouldContain("were not recorded when it was built");
    }

    [Fact]
    public void The_same_records_make_the_same_bill_and_others_another_namespace()
    {
        Bill().Bytes().ShouldBe(Bill().Bytes());
        new BillOfMaterials("bundle", "amd64", "gateway 0.1.0", [Root], [], null).Document.DocumentNamespace.ShouldNotBe(Bill().Document.DocumentNamespace);
    }

    [Fact]
    public void Names_that_differ_only_in_what_an_identifier_cannot_have_get_identifiers_of_their_own()
    {
        var ids = new SpdxIds();
        ids.Take("deb", "a+b").ShouldBe("SPDXRef-deb-a-b");
        ids.Take("deb", "a~b").ShouldBe("SPDXRef-deb-a-b-2");
        ids.Take("DOCUMENT").ShouldBe("SPDXRef-DOCUMENT-2");
    }

    private static BillOfMaterials Bill() => new("bundle", "amd64", "gateway 0.1.0", [Kernel, Root], [Debian, Guest, Kubernetes], Command);

    private JsonElement Find(string name) => Packages.Single(p => Text(p, "name") == name && !Text(p, "SPDXID").StartsWith("SPDXRef-artifact", StringComparison.Ordinal));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static ArtifactRecord Record(string kind, string version) => new()
    {
        Kind = kind,
        Key = new string((char)('a' + (kind.Length % 6)), 32),
        Version = version,
        Inputs = [],
        Outputs = [new OutputFile("file", 3, new string('3', 64))],
        Packages = [],
        Commands = [],
        Tools = new Dictionary<string, string>(),
        BuiltAt = DateTimeOffset.UnixEpoch,
        Duration = TimeSpan.Zero,
    };

    private static PinnedPackage Package(string name, string version, string architecture) =>
        new() { Name = name, Version = version, Architecture = architecture, Sha256 = new string('a', 64), Size = 1 };

    // scheme:type/namespace/name@version?qualifiers, everything unusual percent-encoded.
    [GeneratedRegex(@"^pkg:(deb/debian/[a-z0-9%A-F.\-]+@[A-Za-z0-9%.:~\-]+\?arch=[a-z0-9]+|nuget/[A-Za-z0-9.\-]+@[A-Za-z0-9.\-]+)$")]
    private static partial Regex Purl();
}

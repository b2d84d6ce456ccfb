using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Testing.Tests.Packaging;

/// <summary>The library as its users get it: from packages, outside of the source tree.</summary>
public sealed partial class PackageTests : IDisposable
{
    /// <summary>Five libraries are compiled, two of them large, on a machine that has other things to do.</summary>
    private static readonly TimeSpan PackLimit = TimeSpan.FromMinutes(10);

    private static readonly string Version = typeof(TestCluster).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    // Short: the consumer's clusters have sockets there.
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovp-");

    private string? _artifacts;

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        if (_artifacts is not null && Directory.Exists(_artifacts))
            Directory.Delete(_artifacts, recursive: true);
    }

    [Fact]
    public async Task The_packages_are_whole_and_a_program_that_has_only_them_is_told_what_else_it_needs()
    {
        if (Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KERNEL") is not "build")
            Assert.Skip("packing the library and building a program with it takes a minute or two: './test --full' does it");
        var sdk = await Sdk.RequireAsync(_folder.FullName);
        var made = await PackAsync(sdk);
        var packages = Directory.GetFiles(made, "*.nupkg").Select(path => new Package(path)).ToDictionary(package => package.Id);

        // The library, and exactly what it stands on.
        NeededBy("OpenShell.Vm.Testing", packages).Order().ShouldBe(packages.Keys.Order());
        foreach (var package in packages.Values)
            IsWhole(package, packages, sdk);
        packages["OpenShell.Vm.Testing"].ReadText(packages["OpenShell.Vm.Testing"].Readme!).ShouldBe(await File.ReadAllTextAsync(Path.Combine(sdk.Root, "src/OpenShell.Vm.Testing/README.md"), TestContext.Current.CancellationToken));

        // What images are built from, as it is in the clone, where it is in the clone.
        var sources = packages["OpenShell.Vm"].Files.Where(file => file.StartsWith("sources/", StringComparison.Ordinal)).ToList();
        foreach (var file in sources)
            packages["OpenShell.Vm"].Read(file).ShouldBe(await File.ReadAllBytesAsync(Path.Combine(sdk.Root, file["sources/".Length..]), TestContext.Current.CancellationToken), file);
        sources.ShouldContain("sources/src/OpenShell.Vm.Guest/State/StateLayout.cs");

        var consumer = new Consumer(sdk, Directory.CreateDirectory(Path.Combine(_folder.FullName, "c")).FullName);
        (await consumer.BuildAsync(made, Version)).OrFail();
        foreach (var id in packages.Keys)
            Directory.Exists(Path.Combine(consumer.Packages, id.ToLowerInvariant(), Version)).ShouldBeTrue(id);
        consumer.Libraries.ShouldBe([.. packages.Keys.Select(id => id + ".dll"), "consumer.dll", "YamlDotNet.dll"], ignoreOrder: true);

        await RunsAsync(consumer, sdk);
        Directory.EnumerateDirectories(_folder.FullName, "ovc-*", SearchOption.AllDirectories).ShouldBeEmpty("what a cluster that did not start left");
    }

    /// <summary>
    /// What a program can do that has only packages: everything. Images are built from what goes along, which is what is in the clone; so those that the user's cache has are found, and a cluster starts of them.
    /// </summary>
    private static async Task RunsAsync(Consumer consumer, Sdk sdk)
    {
        (await consumer.RunAsync("fail")).ShouldBe("fail: testing.program-failed: 'false' ended with 1 in the machine: no See what it wrote; ExecAsync takes what a shell on the machine would.\n");

        (await consumer.RunAsync("find")).ShouldBe("find: not built\n");
        (await consumer.RunAsync("find", sdk.Root)).ShouldBe("find: not built\n");
        (await consumer.RunAsync("find", consumer.Packages)).ShouldStartWith($"find: image.no-source: The source tree that images are built from was not found. OPENSHELL_VM_SOURCE names {consumer.Packages}, ");

        // With the cache of whoever runs the tests: in it the images of this clone are there or not, and the same ones are found.
        var built = await consumer.RunAsync("find", sdk.Root, emptyCache: false);
        (await consumer.RunAsync("find", emptyCache: false)).ShouldBe(built);
        var start = await consumer.RunAsync("start", emptyCache: built == "find: not built\n");
        if (RuntimeTools.FindQemu() is null || built == "find: not built\n")
            start.ShouldMatch(@"^start: [a-z]+\.[a-z-]+: ", "there is no hypervisor, or no image");
        else
            start.ShouldMatch("^start: [a-z0-9-]+ has 1 node\n$");
    }

    /// <summary>Packs what the documentation says, as it says it, but in a folder of its own.</summary>
    private async Task<string> PackAsync(Sdk sdk)
    {
        var documentation = await File.ReadAllTextAsync(Path.Combine(sdk.Root, "docs/testing-library.md"), TestContext.Current.CancellationToken);
        var line = PackLine().Match(documentation).Value;
        line.ShouldNotBeEmpty("how to pack stands in docs/testing-library.md");

        // Within the tree, as for everybody: paths in what is compiled are told by it. Always the same one, so that what a killed test left goes with the next.
        _artifacts = Path.Combine(sdk.Root, "artifacts", "pack");
        if (Directory.Exists(_artifacts))
            Directory.Delete(_artifacts, recursive: true);
        var packed = await sdk.ShellAsync(sdk.Root, line.Replace("src/$project", $"src/$project --nologo -v quiet -m:1 -p:RunAnalyzers=false -p:ArtifactsPath='{_artifacts}'", StringComparison.Ordinal), PackLimit);
        if (packed.ExitCode != 0 && Unreachable().Match(packed.Out) is { Success: true, Value: var unreachable })
            Assert.Skip($"a package is missing, and its source does not answer: {unreachable}");
        packed.OrFail();
        return Path.Combine(_artifacts, "package", "release");
    }

    private static IEnumerable<string> NeededBy(string id, Dictionary<string, Package> packages) =>
        packages.TryGetValue(id, out var package)
            ? package.Frameworks.SelectMany(package.Dependencies).Select(dependency => dependency.Id).Distinct().SelectMany(needed => NeededBy(needed, packages)).Append(id).Distinct()
            : id.StartsWith("OpenShell.", StringComparison.Ordinal) ? [id] : [];

    private static void IsWhole(Package package, Dictionary<string, Package> packages, Sdk sdk)
    {
        var id = package.Id;
        package.Version.ShouldBe(Version, id);
        package.Licence.ShouldBe("Apache-2.0", id);
        foreach (var framework in package.Frameworks)
        {
            foreach (var (needed, version) in package.Dependencies(framework))
            {
                if (packages.ContainsKey(needed))
                    version.ShouldBe(Version, $"{id} needs {needed}");
                else
                    Directory.Exists(Path.Combine(sdk.Packages, needed.ToLowerInvariant(), version)).ShouldBeTrue($"{id} needs {needed} {version}, with which the tests have been built");
            }

            package.Files.ShouldContain($"lib/{framework}/{id}.dll");
            var described = XDocument.Parse(package.ReadText($"lib/{framework}/{id}.xml")).Descendants("member").Select(member => member.Attribute("name")!.Value).ToHashSet();
            Assembly.Load(id).GetExportedTypes().Select(type => "T:" + type.FullName!.Replace('+', '.')).Where(type => !described.Contains(type)).ShouldBeEmpty($"public types of {id} without documentation");
        }

        package.Files.Where(file => !Expected().IsMatch(file)).ShouldBeEmpty($"what else is in {id}");
        package.FilesWith(sdk.Root + "/").ShouldBeEmpty("they tell where they were built");
        package.FilesWith(sdk.Packages).ShouldBeEmpty("they tell where they were built");
    }

    [GeneratedRegex(@"^for project in .*dotnet pack src/\$project.*$", RegexOptions.Multiline)]
    private static partial Regex PackLine();

    // https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1301
    [GeneratedRegex(@"error NU1301: .*")]
    private static partial Regex Unreachable();

    [GeneratedRegex(@"^(lib/net\d+\.0/[\w.]+\.(dll|xml)|buildTransitive/OpenShell\.Vm\.targets|sources/.+|README\.md|[\w.]+\.nuspec|_rels/\.rels|\[Content_Types\]\.xml|package/services/metadata/core-properties/\w+\.psmdcp)$")]
    private static partial Regex Expected();
}

using System.Security.Cryptography;
using System.Text.RegularExpressions;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// Kubernetes' sources in a build folder that outlives the build: unpacked once, and compiled with a build cache of their own. Laid out as a GOPATH:
/// the sources of 1.20 generate code by import paths below <c>k8s.io/kubernetes/vendor</c>, which modules do not have.
/// </summary>
internal sealed partial class KubernetesTree(BuildContext context, string work, PackageLock locked, IReadOnlyList<string> patches)
{
    private const string Package = "k8s.io/kubernetes";
    private const string MainPackage = Package + "/cmd/openshell-kubernetes";

    // Sources of another version, or patched otherwise, get a folder of their own; the compiler's cache serves all.
    private string GoPath { get; } = Path.Combine(work, "gopath-" + locked.Packages[0].Sha256[..12] + "-" + HashOf(patches)[..12]);

    private string Tree => Path.Combine(GoPath, "src", Package);

    private string Generator => Path.Combine(GoPath, "openapi-gen");

    /// <summary>Such as 1.20.2: Debian's <c>1.20.5+really1.20.2-1.1+deb12u1</c> is that.</summary>
    public string Version => UpstreamVersion(locked.Packages[0].Version);

    internal static string UpstreamVersion(string debian) => UpstreamPart().Match(debian) is { Success: true } match
        ? match.Groups["version"].Value
        : throw new InvalidDataException($"{debian} has no upstream version");

    /// <summary>Unpacks the source package, patched as Debian has it.</summary>
    public async Task UnpackAsync(CancellationToken cancellationToken)
    {
        if (IsDone("unpacked"))
            return;
        context.Progress.Running("unpacking the sources");
        HostFiles.DeleteFolder(GoPath);
        Directory.CreateDirectory(Path.GetDirectoryName(Tree)!);

        // dpkg-source wants the files under their own names, beside one another.
        var files = context.Scratch("source-package");
        foreach (var package in locked.Packages)
            File.CreateSymbolicLink(Path.Combine(files, package.File!), context.Store.PathOf(package));
        var description = locked.Packages.Single(p => p.File!.EndsWith(".dsc", StringComparison.Ordinal)).File!;

        // --no-check: the maintainer's signature needs the keyring of Debian's developers; the archive's signature and the hashes were checked.
        await context.Tools.RunAsync(
            new ToolCommand { Program = "dpkg-source", Arguments = ["--no-check", "--no-copy", "--extract", Path.Combine(files, description), Tree] }, cancellationToken).ConfigureAwait(false);
        Done("unpacked");
    }

    /// <summary>Applies our own patches, after Debian's, in the order of their names (images/kubernetes/patches/README.md).</summary>
    public async Task PatchAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < patches.Count; i++)
        {
            // A mark for each: an interruption between two must not apply the first again.
            if (IsDone($"patched-{i}"))
                continue;
            try
            {
                await context.Tools.RunAsync(
                    new ToolCommand { Program = "patch", Arguments = ["--strip=1", "--forward", "--batch", "--no-backup-if-mismatch", "--input", patches[i]], Folder = Tree }, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ToolFailedException or OperationCanceledException)
            {
                // Perhaps half of it is applied: the sources are unpacked anew the next time.
                File.Delete(MarkOf("unpacked"));
                throw;
            }

            Done($"patched-{i}");
        }
    }

    /// <summary>Generates the description of the API that kube-apiserver serves; the source package comes without it.</summary>
    public async Task GenerateOpenApiAsync(IReadOnlyList<string> folders, CancellationToken cancellationToken)
    {
        if (IsDone("openapi"))
            return;
        context.Progress.Running("generating OpenAPI code");
        // Without -trimpath, which would make it forget where Go's own packages are: it reads their sources.
        await context.Tools.RunAsync(Go(["build", "-o", Generator, $"{Package}/vendor/k8s.io/kube-openapi/cmd/openapi-gen"], context.Facts.HostArchitecture), cancellationToken).ConfigureAwait(false);
        await context.Tools.RunAsync(
            Go([
                "--logtostderr",
                "--input-dirs", string.Join(',', TaggedPackages(folders)),
                "--output-package", Package + "/pkg/generated/openapi",
                "--output-file-base", "zz_generated.openapi",
                "--go-header-file", "hack/boilerplate/boilerplate.generatego.txt",
                "--report-filename", Path.Combine(GoPath, "openapi-violations.txt"),
            ], context.Facts.HostArchitecture) with
            { Program = Generator },
            cancellationToken).ConfigureAwait(false);
        Done("openapi");
    }

    /// <summary>Puts our entry point among the commands of the tree.</summary>
    public void AddMain(string file)
    {
        var folder = Path.Combine(GoPath, "src", MainPackage);
        Directory.CreateDirectory(folder);
        File.Copy(file, Path.Combine(folder, "main.go"), overwrite: true);
    }

    /// <summary>Compiles; packages that an earlier, interrupted build compiled are taken from the cache.</summary>
    public async Task CompileAsync(string output, CancellationToken cancellationToken)
    {
        context.Progress.Running("looking for what is to be compiled");
        string[] flags = ["-trimpath", "-ldflags", LinkerFlags()];
        var stale = await context.Tools.RunAsync(
            Go(["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", .. flags, MainPackage]) with { Recorded = false }, cancellationToken).ConfigureAwait(false);
        var total = stale.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        var compiled = 0;

        // -v names every package that is being compiled, on stderr.
        await context.Tools.RunAsync(
            Go(["build", "-v", .. flags, "-o", output, MainPackage]),
            cancellationToken,
            line =>
            {
                compiled++;
                context.Progress.Running($"package {compiled} of {total}: {line}", total > 0 ? Math.Min(1.0, (double)compiled / (total + 1)) : null);
            }).ConfigureAwait(false);
    }

    private string LinkerFlags()
    {
        // kubectl and others compare versions: without these the program calls itself v0.0.0-master.
        var parts = Version.Split('.');
        string[] packages = [Package + "/vendor/k8s.io/component-base/version", Package + "/vendor/k8s.io/client-go/pkg/version"];
        return string.Join(' ', packages.SelectMany(p => (string[])
        [
            $"-X {p}.gitVersion=v{Version}", $"-X {p}.gitMajor={parts[0]}", $"-X {p}.gitMinor={parts[1]}", $"-X {p}.gitTreeState=clean",
        ]).Prepend("-s -w"));
    }

    private IEnumerable<string> TaggedPackages(IReadOnlyList<string> folders) =>
        from folder in folders
        from file in Directory.EnumerateFiles(Path.Combine(Tree, folder), "*.go", SearchOption.AllDirectories)
        where !file.EndsWith("_test.go", StringComparison.Ordinal) && !Path.GetFileName(file).StartsWith("zz_generated", StringComparison.Ordinal)
        where File.ReadAllText(file).Contains("+k8s:openapi-gen=", StringComparison.Ordinal)
        let package = Path.GetRelativePath(Tree, Path.GetDirectoryName(file)!)
        group file by package into tagged
        orderby tagged.Key
        select tagged.Key.StartsWith("staging/src/", StringComparison.Ordinal) ? $"{Package}/vendor/{tagged.Key["staging/src/".Length..]}" : $"{Package}/{tagged.Key}";

    /// <summary>Go for the guest's processor, or for another: the generator runs here, and reads the sources as Go sees them here.</summary>
    private ToolCommand Go(IReadOnlyList<string> arguments, string? architecture = null) => new()
    {
        Program = "go",
        Arguments = arguments,
        Folder = Tree,
        Background = true,
        Environment = new Dictionary<string, string?>
        {
            ["GOPATH"] = GoPath,
            ["GOCACHE"] = Path.Combine(work, "gocache"),
            ["GO111MODULE"] = "off",
            ["GOFLAGS"] = "",
            ["GOARCH"] = architecture ?? context.Facts.Architecture,
            ["GOOS"] = "linux",
            ["CGO_ENABLED"] = "0",
            ["GOTOOLCHAIN"] = "local",
        },
    };

    private static string HashOf(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
            hash.AppendData(File.ReadAllBytes(file));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Marks beside the sources: a step counts when its mark is there, and is done again otherwise.
    private bool IsDone(string step) => File.Exists(MarkOf(step));

    private void Done(string step) => File.WriteAllText(MarkOf(step), "");

    private string MarkOf(string step) => Path.Combine(GoPath, step + ".done");

    [GeneratedRegex(@"^(?:.*\+really)?(?<version>\d+\.\d+\.\d+)")]
    private static partial Regex UpstreamPart();
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Runtime;

/// <summary>Finds out what a machine on this host runs on, file by file. Hashes are remembered until the file changes: a few milliseconds, the first time a second.</summary>
public sealed class RuntimeInspector(HostDirectories directories)
{
    private readonly HostFactsCache _cache = new(directories.Cache);

    /// <summary>The host's programs and, where they are known, the images.</summary>
    /// <param name="host">What there is.</param>
    /// <param name="images">What is booted; <see langword="null"/> while it is not built.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<RuntimePart>> InspectAsync(HostFacts host, ImageSet? images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        var files = new (string Name, string? Path, string? Version)[]
        {
            ("qemu", host.Qemu, host.QemuVersion?.ToString()),
            ("libkrun", host.Libkrun, null),
            ("libkrunfw", host.Libkrunfw.Count > 0 ? host.Libkrunfw[0] : null, null),
            ("gvproxy", host.Gvproxy, null),
            ("kernel", images?.Kernel, null),
            ("initramfs", images?.Initramfs, null),
            ("root", images?.Root, null),
            ("distribution", images?.Distribution, images?.DistributionVersion),
        };
        var parts = new List<RuntimePart>();
        foreach (var (name, path, version) in files)
        {
            if (path is not null)
                parts.Add(await InspectAsync(name, path, version, cancellationToken).ConfigureAwait(false));
        }

        return parts;
    }

    /// <summary>One file.</summary>
    internal async Task<RuntimePart> InspectAsync(string name, string path, string? version, CancellationToken cancellationToken)
    {
        if (HostFiles.Stamp(path) is not { } stamp)
        {
            return new RuntimePart { Name = name, Path = path, Version = version, Origin = RuntimeOrigin.Custom, From = "nothing", Fault = Missing(name, path) };
        }

        var manifest = RuntimeManifest.Beside(path);
        if (manifest?.CheckedSha256(stamp) is { } known)
            return manifest.Describe(name, version, known);

        var seen = (await _cache.GetAsync($"runtime-{name}", $"{path} {stamp}", ct => SeeAsync(path, ct), cancellationToken).ConfigureAwait(false))!;
        return manifest is null
            ? new RuntimePart { Name = name, Path = path, Version = version ?? seen.Version, Sha256 = seen.Sha256, Origin = seen.Origin, From = seen.From }
            : manifest.Describe(name, version, seen.Sha256);
    }

    private static async Task<SeenFile?> SeeAsync(string path, CancellationToken cancellationToken)
    {
        var hash = await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false);
        return await PackageFiles.FindAsync(path, cancellationToken).ConfigureAwait(false) switch
        {
            { AsDelivered: true } file => new SeenFile(hash, file.Version, RuntimeOrigin.Stock, $"Debian package {file.Package} {file.Version}"),
            { } file => new SeenFile(hash, null, RuntimeOrigin.Custom, $"not as Debian package {file.Package} {file.Version} delivered it"),
            null => new SeenFile(hash, null, RuntimeOrigin.Custom, "no package of this host"),
        };
    }

    private static Fault Missing(string name, string path) => new()
    {
        Code = "runtime.missing",
        What = $"{path} ({name}) is not there.",
        Remedy = "Run 'gateway setup' for the host's packages, or 'gateway image build' for images.",
    };
}

/// <summary>What is remembered of a file until it changes.</summary>
internal sealed record SeenFile(string Sha256, string? Version, RuntimeOrigin Origin, string From);

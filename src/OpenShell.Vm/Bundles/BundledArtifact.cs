using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>An artifact that goes into a bundle: its record, and where its files are on this machine.</summary>
/// <param name="Record">What it is, with the hash of every file.</param>
/// <param name="PathOf">Absolute path of a file, by its name in the record.</param>
internal sealed record BundledArtifact(ArtifactRecord Record, Func<string, string> PathOf)
{
    /// <summary>The kind of a kernel that is a file of the user's.</summary>
    public const string KernelFileKind = "kernel-file";

    /// <summary>The kind of what a cluster is given along.</summary>
    public const string WorkloadKind = "bundle-workload";

    /// <summary><c>KIND/KEY</c></summary>
    public string Id => $"{Record.Kind}/{Record.Key}";

    /// <summary>The artifact that a file of the image cache belongs to.</summary>
    public static BundledArtifact? Of(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        return ArtifactCache.Read(folder) is { } record ? new BundledArtifact(record, name => Path.Combine(folder, name)) : null;
    }

    /// <summary>Files that nobody built as an artifact, made one: its address is that of their contents.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="version">What it is, for a person.</param>
    /// <param name="files">Names in the artifact with absolute paths.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<BundledArtifact> MakeAsync(string kind, string version, IReadOnlyList<(string Name, string Path)> files, CancellationToken cancellationToken)
    {
        var outputs = new List<OutputFile>();
        foreach (var (name, path) in files)
            outputs.Add(new OutputFile(name, new FileInfo(path).Length, await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false)));
        var inputs = outputs.Select(o => new RecipeInput("file " + o.Name, o.Sha256)).ToList();
        var record = new ArtifactRecord
        {
            Kind = kind,
            Key = Keys.Hash(inputs),
            Version = version,
            Inputs = inputs,
            Outputs = outputs,
            Packages = [],
            Commands = [],
            Tools = new Dictionary<string, string>(),
            // No time of now: the same files make the same bundle.
            BuiltAt = DateTimeOffset.UnixEpoch,
            Duration = TimeSpan.Zero,
        };
        var paths = files.ToDictionary(f => f.Name, f => f.Path, StringComparer.Ordinal);
        return new BundledArtifact(record, name => paths[name]);
    }
}

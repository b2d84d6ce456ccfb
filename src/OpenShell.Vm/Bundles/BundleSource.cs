using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>A part of a bundle that is to be written, and where its content comes from.</summary>
/// <param name="Part">As the manifest will have it.</param>
/// <param name="File">Absolute path; <see langword="null"/>: the content is given.</param>
/// <param name="Content">The content, where it is no file.</param>
internal sealed record BundleSource(BundlePart Part, string? File, byte[]? Content)
{
    /// <summary>Something that was made for the bundle.</summary>
    public static BundleSource Of(string name, string path, byte[] content, string? from = null) => new(
        new BundlePart { Name = name, Path = path, Size = content.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)), From = from }, null, content);

    /// <summary>An artifact: its record, then its files.</summary>
    public static IEnumerable<BundleSource> Of(BundledArtifact artifact)
    {
        var record = Of($"{artifact.Record.Kind}: provenance", BundleNames.Of(artifact.Id, CacheLayout.RecordFile), Json(artifact.Record), artifact.Record.Version);
        yield return record with { Part = record.Part with { Artifact = artifact.Id, File = CacheLayout.RecordFile } };
        for (var i = 0; i < artifact.Record.Outputs.Count; i++)
        {
            var output = artifact.Record.Outputs[i];
            var file = artifact.PathOf(output.Name);
            yield return new BundleSource(
                new BundlePart
                {
                    Name = $"{artifact.Record.Kind}: {output.Name}",
                    // The user's own files may have names of any length.
                    Path = artifact.Record.Kind == BundledArtifact.WorkloadKind ? $"{BundleNames.Workload}/{output.Name.Split('/')[0]}/{i:000}" : BundleNames.Of(artifact.Id, output.Name),
                    Size = output.Size,
                    Sha256 = output.Sha256,
                    From = $"{artifact.Record.Version}; {BundleNames.Of(artifact.Id, CacheLayout.RecordFile)}",
                    Artifact = artifact.Id,
                    File = output.Name,
                    Executable = IsExecutable(file),
                },
                file,
                null);
        }
    }

    /// <summary>A record as the cache writes it.</summary>
    public static byte[] Json(ArtifactRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, CacheJson.Default.ArtifactRecord);

    /// <summary>The bytes.</summary>
    public Stream Open() => File is null ? new MemoryStream(Content!) : System.IO.File.OpenRead(File);

    /// <summary>Whether a file is a program.</summary>
    public static bool IsExecutable(string file) => !OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(file) & UnixFileMode.UserExecute) != 0;
}

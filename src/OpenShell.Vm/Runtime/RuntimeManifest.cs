using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Runtime;

/// <summary>The manifest (<c>provenance.json</c>) in a folder of files that this project built: artifacts in the cache, or a copy of one elsewhere.</summary>
internal sealed class RuntimeManifest
{
    private readonly string _path;
    private readonly ArtifactRecord _record;

    private RuntimeManifest(string path, ArtifactRecord record) => (_path, _record) = (path, record);

    /// <summary>The manifest in the folder of a file; <see langword="null"/> if there is none that speaks of it.</summary>
    public static RuntimeManifest? Beside(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        return ArtifactCache.Read(folder) is { } record && record.Outputs.Any(o => o.Name == Path.GetFileName(file))
            ? new RuntimeManifest(Path.Combine(folder, CacheLayout.RecordFile), record)
            : null;
    }

    /// <summary>The file's recorded hash, if the file has not been touched since it was last found to have it.</summary>
    public string? CheckedSha256(string file, FileStamp now)
    {
        var name = Path.GetFileName(file);
        return ArtifactCache.ReadStamps(Path.GetDirectoryName(file)!).GetValueOrDefault(name) == now ? _record.Outputs.Single(o => o.Name == name).Sha256 : null;
    }

    /// <summary>The part as the manifest knows it; with a fault if the file is another.</summary>
    public RuntimePart Check(RuntimePart part)
    {
        var known = _record.Outputs.Single(o => o.Name == Path.GetFileName(part.Path));
        return part with
        {
            Version = part.Version ?? _record.Version,
            Origin = RuntimeOrigin.Built,
            From = $"built here: {_record.Kind}/{_record.Key}",
            Fault = known.Sha256 == part.Sha256 ? null : new Fault
            {
                Code = "runtime.mismatch",
                What = $"{part.Path} ({part.Name}) is not what {_path} says: its SHA-256 is {part.Sha256} instead of {known.Sha256}.",
                Remedy = "Put back the file that belongs to the manifest, or build both anew ('gateway image build').",
            },
        };
    }
}

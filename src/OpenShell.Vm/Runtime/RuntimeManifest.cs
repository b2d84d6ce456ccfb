using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Runtime;

/// <summary>The manifest (<c>provenance.json</c>) in a folder of files that this project built: artifacts in the cache, or a copy of one elsewhere.</summary>
internal sealed class RuntimeManifest
{
    private readonly string _path;
    private readonly ArtifactRecord _record;
    private readonly OutputFile _known;

    private RuntimeManifest(string path, ArtifactRecord record, OutputFile known) => (_path, _record, _known) = (path, record, known);

    private string Folder => Path.GetDirectoryName(_path)!;

    /// <summary>The manifest in the folder of a file; <see langword="null"/> if there is none that speaks of it.</summary>
    public static RuntimeManifest? Beside(string file) =>
        ArtifactCache.Read(Path.GetDirectoryName(file)!) is { } record && record.Outputs.FirstOrDefault(o => o.Name == Path.GetFileName(file)) is { } known
            ? new RuntimeManifest(file, record, known)
            : null;

    /// <summary>The file's recorded hash, if the file has not been touched since it was last found to have it.</summary>
    public string? CheckedSha256(FileStamp now) => ArtifactCache.ReadStamps(Folder).GetValueOrDefault(_known.Name) == now ? _known.Sha256 : null;

    /// <summary>The file as a part; with a fault if it is another than the manifest knows.</summary>
    public RuntimePart Describe(string name, string? version, string sha256) => new()
    {
        Name = name,
        Path = _path,
        Version = version ?? _record.Version,
        Sha256 = sha256,
        Origin = RuntimeOrigin.Built,
        From = $"built here: {_record.Kind}/{_record.Key}",
        Fault = _known.Sha256 == sha256 ? null : new Fault
        {
            Code = "runtime.mismatch",
            What = $"{_path} ({name}) is not what {Path.Combine(Folder, CacheLayout.RecordFile)} says: its SHA-256 is {sha256} instead of {_known.Sha256}.",
            Remedy = "Put back the file that belongs to the manifest, or build both anew ('gateway image build').",
        },
    };
}

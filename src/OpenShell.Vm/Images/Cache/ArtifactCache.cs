using System.Text.Json;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Images.Cache;

/// <summary>
/// Content-addressed artifacts on disk. An artifact is a folder that appears whole by one rename and never changes; its record has the hash
/// of every file. This part finds and stores; <c>ArtifactCache.Checking.cs</c> tells whether what is found is still what was stored.
/// </summary>
internal sealed partial class ArtifactCache(CacheLayout layout)
{
    public CacheLayout Layout { get; } = layout;

    /// <summary>The artifact's record, or <see langword="null"/> if there is none. Does not check its files.</summary>
    public ArtifactRecord? Find(string kind, string key) => Read(Layout.Artifact(kind, key));

    /// <summary>Absolute path of a file of a finished artifact.</summary>
    public string FileOf(string kind, string key, string name) => Path.Combine(Layout.Artifact(kind, key), name);

    /// <summary>Every artifact's folder, by kind and key.</summary>
    public IReadOnlyList<(string Kind, string Key, string Folder)> All() =>
        [.. from kind in FoldersIn(Layout.Artifacts)
            from artifact in FoldersIn(kind)
            select (Path.GetFileName(kind), Path.GetFileName(artifact), artifact)];

    /// <summary>An empty folder to build in, on the artifacts' file system; what an interrupted build of the same artifact left there is gone. Call with the artifact's guard held.</summary>
    public string Begin(string kind, string key)
    {
        var folder = Path.Combine(Layout.Building, kind + "-" + key);
        HostFiles.DeleteFolder(folder);
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>
    /// Makes a finished build an artifact: its files hashed, read-only and on disk, then the record, then the rename. Before the rename
    /// nothing is visible, after it everything is durable. <paramref name="record"/> completes the record with the outputs found.
    /// </summary>
    public async Task<ArtifactRecord> CommitAsync(string folder, Func<IReadOnlyList<OutputFile>, ArtifactRecord> record, CancellationToken cancellationToken)
    {
        var outputs = new List<OutputFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(folder, path);
            HostFiles.SyncFile(path);
            MakeReadOnly(path);
            outputs.Add(new OutputFile(name, new FileInfo(path).Length, await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false)));
        }

        var complete = record(outputs);
        await HostFiles.WriteWholeAsync(
            Path.Combine(folder, CacheLayout.RecordFile), JsonSerializer.SerializeToUtf8Bytes(complete, CacheJson.Default.ArtifactRecord), cancellationToken).ConfigureAwait(false);
        await WriteStampsAsync(folder, StampsOf(folder, complete), cancellationToken).ConfigureAwait(false);
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
            HostFiles.SyncFolder(inner);

        cancellationToken.ThrowIfCancellationRequested();
        var final = Layout.Artifact(complete.Kind, complete.Key);
        Directory.CreateDirectory(Path.GetDirectoryName(final)!);
        Directory.Move(folder, final);
        HostFiles.SyncFolder(Path.GetDirectoryName(final)!);
        return complete;
    }

    /// <summary>Moves an artifact out of the way, for a person to look at; returns where it went.</summary>
    public string SetAside(string kind, string key)
    {
        var aside = Path.Combine(Layout.Corrupt, $"{kind}-{key}-{DateTime.UtcNow:yyyyMMddHHmmssfff}");
        Directory.CreateDirectory(Layout.Corrupt);
        Directory.Move(Layout.Artifact(kind, key), aside);
        return aside;
    }

    /// <summary>Reads a record; a folder whose record cannot be read counts as not there, since nothing in it can be trusted.</summary>
    internal static ArtifactRecord? Read(string folder)
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(folder, CacheLayout.RecordFile));
            return JsonSerializer.Deserialize(stream, CacheJson.Default.ArtifactRecord);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new FaultException(Corrupted(folder, CacheLayout.RecordFile, "it is not a provenance record"), e);
        }
    }

    private static Fault Corrupted(string folder, string file, string how) => ImageFaults.Corrupt(Path.Combine(folder, file), how, setAside: null);

    private static IEnumerable<string> FoldersIn(string folder) => Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal) : [];

    private static void MakeReadOnly(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) & ~(UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
    }
}

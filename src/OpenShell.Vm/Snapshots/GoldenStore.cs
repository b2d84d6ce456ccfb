using System.Text.Json;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Snapshots;

/// <summary>The golden images of this user: in the cache, since each can be baked again, apart from the disks that instances stand on.</summary>
internal sealed class GoldenStore(HostDirectories directories)
{
    private readonly CacheLayout _layout = new(directories.Cache);

    /// <summary>Where an image is, or would be.</summary>
    public GoldenFiles Files(string hash) => new(Path.Combine(_layout.Golden, hash));

    /// <summary>Held while an image is baked, or removed.</summary>
    public string GuardOf(string hash) => _layout.Guard("golden-" + hash);

    /// <summary>Where one is made; a leftover of an interrupted bake is removed by the next, and by <c>prune</c>.</summary>
    public string Building(string hash) => Path.Combine(_layout.Building, "golden-" + hash);

    /// <summary>What is written down of an image; <see langword="null"/>: there is none of that name.</summary>
    /// <exception cref="FaultException">It cannot be read.</exception>
    public GoldenRecord? Read(string hash)
    {
        var files = Files(hash);
        if (!File.Exists(files.Record))
            return null;
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(files.Record), SnapshotJson.Default.GoldenRecord);
            return record is { Key: not null, NodeName: not null, Files: { } listed } && listed.All(f => f is { Name: not null, Sha256: not null, Stamp: not null })
                ? record
                : throw new FaultException(Unreadable(files, "it is incomplete"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new FaultException(Unreadable(files, e.Message.TrimEnd('.')), e);
        }
    }

    /// <summary>Why an image must not be used as it is now; <see langword="null"/>: it may.</summary>
    public string? WhyUnfit(string hash, GoldenRecord record)
    {
        var files = Files(hash);
        return record.Files.Select(file => file.Change(files.Folder)).FirstOrDefault(change => change is not null);
    }

    /// <summary>All of them, the youngest first; one that cannot be read is listed with the reason.</summary>
    public IReadOnlyList<GoldenImage> List()
    {
        if (!Directory.Exists(_layout.Golden))
            return [];
        var users = Users();
        return [.. Directory.EnumerateDirectories(_layout.Golden).Select(folder => Describe(folder, users)).OrderByDescending(image => image.MadeAt ?? DateTimeOffset.MinValue)];
    }

    /// <summary>Hashes all of an image anew.</summary>
    public async Task<IReadOnlyList<Fault>> VerifyAsync(string hash, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        GoldenRecord? record;
        try
        {
            record = Read(hash);
        }
        catch (FaultException e)
        {
            return e.Faults;
        }

        var files = Files(hash);
        if (record is null)
            return [Unreadable(files, "it is missing")];
        if (record.Key.Hash() != hash)
            return [Unreadable(files, "it is of another image")];
        var faults = new List<Fault>();
        foreach (var file in record.Files)
        {
            if (await file.VerifyAsync(files.Folder, onBytes, cancellationToken).ConfigureAwait(false) is { } fault)
                faults.Add(fault);
        }

        return faults;
    }

    private GoldenImage Describe(string folder, IReadOnlyDictionary<string, List<string>> users)
    {
        var hash = Path.GetFileName(folder);
        var files = new GoldenFiles(folder);
        var image = new GoldenImage
        {
            Hash = hash,
            Folder = folder,
            Bytes = Directory.EnumerateFiles(folder).Sum(HostFiles.AllocatedBytes),
            MemoryBytes = HostFiles.AllocatedBytes(files.Memory),
            Instances = users.GetValueOrDefault(files.Disk) ?? [],
        };
        try
        {
            return Read(hash) is { } record
                ? image with { Key = record.Key, MadeAt = record.MadeAt, Fault = WhyUnfit(hash, record) is { } why ? Unreadable(files, why) : null }
                : image with { Fault = Unreadable(files, "it is missing") };
        }
        catch (FaultException e)
        {
            return image with { Fault = e.Faults[0] };
        }
    }

    // Asked of the disks themselves, so that no list of it can be wrong.
    private Dictionary<string, List<string>> Users()
    {
        var store = new InstanceStore(directories);
        var users = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var name in store.Names())
        {
            foreach (var disk in DiskLineage.Below(store.Files(InstanceName.Parse(name))))
            {
                if (!users.TryGetValue(disk, out var list))
                    users[disk] = list = [];
                list.Add(name);
            }
        }

        return users;
    }

    private static Fault Unreadable(GoldenFiles files, string why) => new()
    {
        Code = "golden.unfit",
        What = $"The golden image {Path.GetFileName(files.Folder)} cannot be used: {why}.",
        Remedy = $"Remove {files.Folder}, unless instances stand on its disk ('gateway image list' names them); 'gateway image bake' makes it anew.",
    };
}

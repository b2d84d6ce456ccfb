using System.Globalization;
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
    public GoldenFiles Files(string hash) => new(Folders(hash).LastOrDefault() ?? Path.Combine(_layout.Golden, hash));

    /// <summary>Where the next of that name goes: the disk of one that cannot be used any more may be what instances stand on, by its path.</summary>
    public GoldenFiles Next(string hash)
    {
        var number = Folders(hash).Select(Number).DefaultIfEmpty(0).Max() + 1;
        return new GoldenFiles(Path.Combine(_layout.Golden, number == 1 ? hash : string.Create(CultureInfo.InvariantCulture, $"{hash}.{number}")));
    }

    /// <summary>Those of that name, the youngest last.</summary>
    private IEnumerable<string> Folders(string hash) => Directory.Exists(_layout.Golden)
        ? Directory.EnumerateDirectories(_layout.Golden, hash + "*").Where(folder => HashOf(folder) == hash).OrderBy(Number)
        : [];

    private static string HashOf(string folder) => Path.GetFileName(folder).Split('.')[0];

    private static int Number(string folder) => Path.GetFileName(folder).Split('.') is [_, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 1;

    /// <summary>Held while an image is baked, or removed.</summary>
    public string GuardOf(string hash) => _layout.Guard("golden-" + hash);

    /// <summary>Where one is made; a leftover of an interrupted bake is removed by the next, and by <c>prune</c>.</summary>
    public string Building(string hash) => Path.Combine(_layout.Building, BuildingPrefix + hash);

    /// <summary>All that are being made, or were when their bake was killed.</summary>
    public IReadOnlyList<string> AllBuilding() => Directory.Exists(_layout.Building) ? Directory.GetDirectories(_layout.Building, BuildingPrefix + "*") : [];

    private const string BuildingPrefix = "golden-";

    /// <summary>What is written down of an image; <see langword="null"/>: there is none of that name.</summary>
    /// <exception cref="FaultException">It cannot be read.</exception>
    public GoldenRecord? Read(string hash) => Read(Files(hash));

    private static GoldenRecord? Read(GoldenFiles files)
    {
        if (!File.Exists(files.Record))
            return null;
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(files.Record), SnapshotJson.Default.GoldenRecord);
            return record is { Key: not null, NodeName: not null, Files: { } listed } && listed.All(f => f is { Name: not null, Hash: not null, Stamp: not null })
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
        return WhyUnfit(files, record);
    }

    // Instances have names of their own for the disk and the memory that theirs lie over, and for what is given along.
    private static string? WhyUnfit(GoldenFiles files, GoldenRecord record) =>
        record.Files.Select(file => file.Change(files.Folder, isShared: file.Name is GoldenFiles.DiskName or GoldenFiles.MemoryName or GoldenFiles.DeliveryName)).FirstOrDefault(change => change is not null);

    /// <summary>
    /// Takes an image back into use whose files are other files by now (moved to another disk, restored from a backup) and have the same content. Whoever calls it holds its guard.
    /// </summary>
    /// <returns>Whether it can be used.</returns>
    public async Task<bool> RenewAsync(string hash, CancellationToken cancellationToken)
    {
        var files = Files(hash);
        if (!File.Exists(files.Record) || (await VerifyAsync(files, null, cancellationToken).ConfigureAwait(false)).Count > 0 || Read(files) is not { } record)
            return false;
        Write(files, record with { Files = [.. record.Files.Select(file => file.At(files.Folder))] });
        return true;
    }

    /// <summary>Writes down what an image is.</summary>
    public static void Write(GoldenFiles files, GoldenRecord record) => AtomicFile.WriteJson(files.Record, Sealed(record), SnapshotJson.Default.GoldenRecord);

    private static GoldenRecord Sealed(GoldenRecord record) => record with { Seal = RecordSeal.Of(record with { Seal = null }, SnapshotJson.Default.GoldenRecord) };

    /// <summary>All of them, the youngest first; one that cannot be read is listed with the reason.</summary>
    public IReadOnlyList<GoldenImage> List()
    {
        if (!Directory.Exists(_layout.Golden))
            return [];
        var users = Users();
        return [.. Directory.EnumerateDirectories(_layout.Golden).Select(folder => Describe(folder, users)).OrderByDescending(image => image.MadeAt ?? DateTimeOffset.MinValue)];
    }

    /// <summary>Hashes all of an image anew.</summary>
    public static async Task<IReadOnlyList<Fault>> VerifyAsync(GoldenFiles files, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        GoldenRecord? record;
        try
        {
            record = Read(files);
        }
        catch (FaultException e)
        {
            return e.Faults;
        }

        if (record is null)
            return [Unreadable(files, "it is missing")];
        if (record.Key.Hash() != HashOf(files.Folder))
            return [Unreadable(files, "it is of another image")];
        if (!RecordSeal.Fits(File.ReadAllBytes(files.Record), Sealed(record), SnapshotJson.Default.GoldenRecord))
            return [Unreadable(files, $"{files.Record} was changed since it was written")];
        var faults = new List<Fault>();
        foreach (var file in record.Files)
        {
            if (await file.VerifyAsync(files.Folder, onBytes, cancellationToken).ConfigureAwait(false) is { } fault)
                faults.Add(Unreadable(files, fault.What.TrimEnd('.')));
        }

        return faults;
    }

    private GoldenImage Describe(string folder, IReadOnlyDictionary<string, List<string>> users)
    {
        var hash = HashOf(folder);
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
            return Read(files) is { } record
                ? image with { Key = record.Key, MadeAt = record.MadeAt, BakedOf = record.BakedOf, Fault = (folder == Files(hash).Folder ? WhyUnfit(files, record) : "it was baked anew, and instances stood on its disk") is { } why ? Unreadable(files, why) : null }
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
            foreach (var disk in DiskLineage.Below(store.FilesToLookAt(name)))
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
        Remedy = "'gateway image bake' makes it anew. Keep its folder while instances stand on its disk ('gateway image list' names them); 'gateway image prune' removes it when none does.",
    };
}

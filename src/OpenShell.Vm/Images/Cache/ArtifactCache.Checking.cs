using System.Text.Json;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Images.Cache;

internal sealed partial class ArtifactCache
{
    /// <summary>
    /// Whether an artifact's files are what was built, cheaply: size, inode and times are compared with those of the last check, and only where
    /// they differ is the file hashed again. Returns the first fault, or <see langword="null"/>.
    /// </summary>
    public async Task<Fault?> CheckAtUseAsync(ArtifactRecord record, CancellationToken cancellationToken)
    {
        var folder = Layout.Artifact(record.Kind, record.Key);
        var known = ReadStamps(folder);
        var now = StampsOf(folder, record);
        foreach (var output in record.Outputs)
        {
            if (now.TryGetValue(output.Name, out var stamp) && known.GetValueOrDefault(output.Name) == stamp)
                continue;
            if (await CheckFileAsync(folder, output, null, cancellationToken).ConfigureAwait(false) is { } fault)
                return fault;
        }

        if (!now.All(known.Contains))
            await RememberAsync(folder, now, cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Hashes every file of an artifact; one fault for each that differs.</summary>
    public async Task<IReadOnlyList<Fault>> CheckFullyAsync(ArtifactRecord record, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        var folder = Layout.Artifact(record.Kind, record.Key);
        var before = StampsOf(folder, record);
        var faults = new List<Fault>();
        foreach (var output in record.Outputs)
        {
            if (await CheckFileAsync(folder, output, onBytes, cancellationToken).ConfigureAwait(false) is { } fault)
                faults.Add(fault);
        }

        if (faults.Count == 0)
            await RememberAsync(folder, before, cancellationToken).ConfigureAwait(false);
        return faults;
    }

    private static async Task<Fault?> CheckFileAsync(string folder, OutputFile output, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, output.Name);
        try
        {
            var size = new FileInfo(path).Length;
            if (size != output.Size)
                return Corrupted(folder, output.Name, $"it has {size} bytes instead of {output.Size}");
            var hash = await HostFiles.Sha256Async(path, cancellationToken, onBytes).ConfigureAwait(false);
            return hash == output.Sha256 ? null : Corrupted(folder, output.Name, $"its SHA-256 is {hash} instead of {output.Sha256}");
        }
        catch (FileNotFoundException)
        {
            return Corrupted(folder, output.Name, "it is missing");
        }
        catch (UnauthorizedAccessException e)
        {
            return Corrupted(folder, output.Name, "it cannot be read: " + e.Message);
        }
    }

    /// <summary>What an artifact's files looked like when their hashes were last found right.</summary>
    internal static Dictionary<string, FileStamp> ReadStamps(string folder)
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(folder, CacheLayout.StampsFile));
            return JsonSerializer.Deserialize(stream, CacheJson.Default.DictionaryStringFileStamp) ?? [];
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return []; // then everything is hashed
        }
    }

    // Taken before the files are hashed, so that a change during the hashing is seen the next time.
    private static Dictionary<string, FileStamp> StampsOf(string folder, ArtifactRecord record)
    {
        var stamps = new Dictionary<string, FileStamp>(StringComparer.Ordinal);
        foreach (var output in record.Outputs)
        {
            if (HostFiles.Stamp(Path.Combine(folder, output.Name)) is { } stamp)
                stamps[output.Name] = stamp;
        }

        return stamps;
    }

    // A cache that this user may only read is fine; the next use hashes again.
    private static async Task RememberAsync(string folder, Dictionary<string, FileStamp> stamps, CancellationToken cancellationToken)
    {
        try
        {
            await WriteStampsAsync(folder, stamps, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
        }
    }

    private static Task WriteStampsAsync(string folder, Dictionary<string, FileStamp> stamps, CancellationToken cancellationToken) => HostFiles.WriteWholeAsync(
        Path.Combine(folder, CacheLayout.StampsFile), JsonSerializer.SerializeToUtf8Bytes(stamps, CacheJson.Default.DictionaryStringFileStamp), cancellationToken);
}

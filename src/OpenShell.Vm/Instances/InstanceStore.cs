using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>Reads and writes what is kept of instances.</summary>
public sealed class InstanceStore(HostDirectories directories)
{
    /// <summary>Names of all folders that look like instances.</summary>
    public IReadOnlyList<string> Names()
    {
        var folder = InstanceFiles.InstancesFolder(directories);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!).Where(name => InstanceName.TryParse(name, out _, out _)).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The files of an instance.</summary>
    public InstanceFiles Files(InstanceName name) => InstanceFiles.For(directories, name);

    /// <summary>The same for who only looks at what is kept of it.</summary>
    internal InstanceFiles FilesToLookAt(string name) => InstanceFiles.Of(directories, InstanceName.Parse(name));

    /// <summary>Makes an instance's folder with its link to the folder of its sockets.</summary>
    /// <exception cref="FaultException">A folder cannot be made, or is not private.</exception>
    internal static void CreateFolders(InstanceFiles files)
    {
        PrivateFolder.Create(Path.GetDirectoryName(files.Root)!);
        PrivateFolder.Ensure(files.Root);
        PrivateFolder.Ensure(Path.GetDirectoryName(files.Run)!);
        PrivateFolder.Ensure(files.Run);
        PrivateFolder.Ensure(files.NetworkFolder);
        if (files.Run == files.Root || new FileInfo(files.RunLink).LinkTarget == files.Run)
            return;
        File.Delete(files.RunLink);
        try
        {
            File.CreateSymbolicLink(files.RunLink, files.Run);
        }
        catch (IOException) when (new FileInfo(files.RunLink).LinkTarget == files.Run)
        {
            // Another start of the same instant made it; which of the two goes on, the lock decides.
        }
    }

    /// <summary>The stored configuration.</summary>
    /// <exception cref="FaultException">There is no such instance (<c>instance.unknown</c>), or it cannot be read (<c>instance.broken</c>).</exception>
    public InstanceConfig ReadConfig(InstanceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var files = Files(name);
        var path = files.Config;
        if (!File.Exists(path))
            throw new FaultException(Directory.Exists(files.Root) ? Missing(path, name.Value) : Unknown(name.Value));
        var config = Read(path, InstanceJson.Default.InstanceConfig, bytes => InstanceFormat.Upgrade(bytes, path, name.Value));
        return config is { Name: { } owner } && owner == name.Value
            ? config with { Format = InstanceFormat.Current }
            : throw new FaultException(Broken(path, "it belongs to another instance"));
    }

    /// <summary>Changes the stored configuration: what it is changed to is read, made and written while no other change can come between.</summary>
    /// <param name="name">The instance.</param>
    /// <param name="change">Makes the new one of the old one, or throws: then nothing is changed.</param>
    /// <returns>The new one.</returns>
    internal InstanceConfig ChangeConfig(InstanceName name, Func<InstanceConfig, InstanceConfig> change)
    {
        var files = Files(name);
        using var held = ConfigLock.Take(files);
        var config = change(ReadConfig(name));
        WriteConfig(files, config);
        return config;
    }

    /// <summary>Whether a status was written after the stored configuration: then that was read, or written, by this program, and is as it was. Of its content no more is looked at than whose it is.</summary>
    /// <exception cref="FaultException">It cannot be read (<c>instance.broken</c>).</exception>
    internal static bool IsOlderThanStatus(InstanceFiles files, string name) =>
        File.Exists(files.Config) && File.Exists(files.Status) && File.GetLastWriteTimeUtc(files.Config) < File.GetLastWriteTimeUtc(files.Status)
        && Read(files.Config, content =>
        {
            using var config = JsonDocument.Parse(content);
            return config.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("name", out var owner) && owner.ValueKind == JsonValueKind.String && owner.ValueEquals(name)
                && root.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out var version) && version == InstanceFormat.Current;
        });

    /// <summary>What a start asked of the supervisor that it began.</summary>
    /// <exception cref="FaultException">It cannot be read (<c>instance.broken</c>).</exception>
    internal static InstanceConfig ReadRequest(string path) =>
        Read(path, InstanceJson.Default.InstanceConfig) ?? throw new FaultException(Broken(path, "it is empty"));

    /// <summary>Whether there is a configuration, readable or not.</summary>
    internal bool HasConfig(InstanceName name) => File.Exists(Files(name).Config);

    /// <summary>Where a clone comes from; <see langword="null"/>: it is none.</summary>
    /// <exception cref="FaultException">It cannot be read (<c>instance.broken</c>): without it the cluster's node would get another name.</exception>
    internal static InstanceOrigin? ReadOrigin(InstanceFiles files) =>
        File.Exists(files.Origin) ? Read(files.Origin, InstanceJson.Default.InstanceOrigin) ?? throw new FaultException(Broken(files.Origin, "it is empty")) : null;

    internal static void WriteOrigin(string path, InstanceOrigin origin) =>
        Guarded(path, () => AtomicFile.WriteJson(path, origin, InstanceJson.Default.InstanceOrigin));

    internal static void WriteConfig(InstanceFiles files, InstanceConfig config) => WriteConfigTo(files.Config, config);

    internal static void WriteConfigTo(string path, InstanceConfig config) =>
        Guarded(path, () => AtomicFile.WriteJson(path, config, InstanceJson.Default.InstanceConfig));

    /// <summary>What the supervisor last wrote; <see langword="null"/>: never started.</summary>
    /// <exception cref="FaultException">It cannot be read (<c>instance.broken</c>).</exception>
    internal static InstanceStatus? ReadStatus(InstanceFiles files) =>
        File.Exists(files.Status) ? Read(files.Status, StatusReader.Status) : null;

    // Not durable: after a power loss nothing of what it says is true.
    internal static void WriteStatus(InstanceFiles files, InstanceStatus status) =>
        Guarded(files.Status, () => AtomicFile.WriteJson(files.Status, status, InstanceJson.Default.InstanceStatus, durable: false));

    internal static void WriteProcesses(InstanceFiles files, IEnumerable<ProcessIdentity> processes) =>
        Guarded(files.Processes, () => AtomicFile.WriteJson(files.Processes, [.. processes], InstanceJson.Default.IReadOnlyListProcessIdentity, durable: false));

    /// <summary>Who was started; empty when nobody was.</summary>
    internal static IReadOnlyList<ProcessIdentity> ReadProcesses(string path) =>
        File.Exists(path) ? Read(path, InstanceJson.Default.IReadOnlyListProcessIdentity) ?? [] : [];

    internal static void WriteFaults(InstanceFiles files, IReadOnlyList<Fault> faults) =>
        Guarded(files.Fault, () => AtomicFile.WriteJson(files.Fault, faults, InstanceJson.Default.IReadOnlyListFault, durable: false));

    /// <summary>Why the last start failed; empty when it did not.</summary>
    internal static IReadOnlyList<Fault> ReadFaults(InstanceFiles files) =>
        File.Exists(files.Fault) ? Read(files.Fault, InstanceJson.Default.IReadOnlyListFault) ?? [] : [];

    internal static Fault Unknown(string name) => new()
    {
        Code = "instance.unknown",
        What = $"There is no instance {name}.",
        Remedy = "See 'gateway list', or start one with 'gateway up'.",
    };

    private static Fault Missing(string path, string name) => new()
    {
        Code = "instance.broken",
        What = $"{path} is missing.",
        Remedy = $"'gateway up --name {name}' with the options that you want writes it anew and keeps the disk. 'gateway delete --name {name}' deletes all.",
        Log = path,
    };

    internal static Fault Broken(string path, string why) => new()
    {
        Code = "instance.broken",
        What = $"{path} cannot be read: {why}.",
        Remedy = Path.GetFileName(path) switch
        {
            "config.json" => "Correct the file, or remove it: 'gateway up' with the options that you want then writes it anew and keeps the disk. 'gateway delete' deletes all.",
            "origin.json" => "Put a copy of it back, or begin anew with 'gateway reset', which discards what is on the clone's disk.",
            _ => "'gateway up' writes it anew.",
        },
        Log = path,
    };

    internal static T? Read<T>(string path, JsonTypeInfo<T> type, Func<byte[], byte[]>? prepare = null) =>
        Read(path, content => JsonSerializer.Deserialize(prepare?.Invoke(content) ?? content, type));

    internal static T? Read<T>(string path, Func<byte[], T?> read)
    {
        try
        {
            var content = File.ReadAllBytes(path);
            RequireNoHoles(content);
            return read(content);
        }

        // The last ones: a name that is there twice, where that is not expected.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or ArgumentException or InvalidOperationException)
        {
            throw new FaultException(Broken(path, e.Message.TrimEnd('.')), e);
        }
    }

    /// <summary>The types say that nothing in a list is null; the parser does not look.</summary>
    private static void RequireNoHoles(byte[] content)
    {
        var lists = new Stack<bool>();
        for (var reader = new Utf8JsonReader(content); reader.Read();)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray or JsonTokenType.StartObject:
                    lists.Push(reader.TokenType == JsonTokenType.StartArray);
                    break;
                case JsonTokenType.EndArray or JsonTokenType.EndObject:
                    lists.Pop();
                    break;
                case JsonTokenType.Null when lists.TryPeek(out var inList) && inList:
                    throw new JsonException("something in a list is null");
            }
        }
    }

    private static void Guarded(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PrivateFolder.NotWritable(path, e);
        }
    }
}

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

    /// <summary>Makes an instance's folder with its link to the folder of its sockets.</summary>
    /// <exception cref="FaultException">A folder cannot be made, or is not private.</exception>
    internal static void CreateFolders(InstanceFiles files)
    {
        PrivateFolder.Create(Path.GetDirectoryName(files.Root)!);
        PrivateFolder.Ensure(files.Root);
        PrivateFolder.Ensure(Path.GetDirectoryName(files.Run)!);
        PrivateFolder.Ensure(files.Run);
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
    /// <exception cref="FaultException">There is none (<c>instance.unknown</c>), or it cannot be read (<c>instance.broken</c>).</exception>
    public InstanceConfig ReadConfig(InstanceName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var path = Files(name).Config;
        if (!File.Exists(path))
            throw new FaultException(Unknown(name.Value));
        return Read(path, InstanceJson.Default.InstanceConfig) is { } config && config.Name == name.Value
            ? config
            : throw new FaultException(Broken(path, "it belongs to another instance"));
    }

    internal static void WriteConfig(InstanceFiles files, InstanceConfig config) =>
        Guarded(files.Config, () => AtomicFile.WriteJson(files.Config, config, InstanceJson.Default.InstanceConfig));

    /// <summary>What the supervisor last wrote; <see langword="null"/>: never started.</summary>
    /// <exception cref="FaultException">It cannot be read (<c>instance.broken</c>).</exception>
    internal static InstanceStatus? ReadStatus(InstanceFiles files) =>
        File.Exists(files.Status) ? Read(files.Status, InstanceJson.Default.InstanceStatus) : null;

    // Not durable: after a power loss nothing of what it says is true.
    internal static void WriteStatus(InstanceFiles files, InstanceStatus status) =>
        Guarded(files.Status, () => AtomicFile.WriteJson(files.Status, status, InstanceJson.Default.InstanceStatus, durable: false));

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

    private static Fault Broken(string path, string why) => new()
    {
        Code = "instance.broken",
        What = $"{path} cannot be read: {why}.",
        Remedy = "Correct the file, or delete the instance with 'gateway delete'.",
        Log = path,
    };

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new FaultException(Broken(path, e.Message.TrimEnd('.')), e);
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

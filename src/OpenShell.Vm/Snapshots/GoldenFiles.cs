using OpenShell.Vm.Bootstrap;

namespace OpenShell.Vm.Snapshots;

/// <summary>Every path of one golden image: a folder that appears by one rename, when all of it is on disk, and is never changed after that.</summary>
internal sealed record GoldenFiles(string Folder)
{
    internal const string MemoryName = "memory.img", DevicesName = "devices.state", DiskName = "state.qcow2", DeliveryName = "delivery.tar", RecordName = "golden.json";

    /// <summary>The guest's memory, sparse: instances map it, and keep to themselves what they write.</summary>
    public string Memory => Path.Combine(Folder, MemoryName);

    /// <summary>The state of processors and devices, as QEMU wrote it.</summary>
    public string Devices => Path.Combine(Folder, DevicesName);

    /// <summary>The disk of that instant: instances' disks stand on it.</summary>
    public string Disk => Path.Combine(Folder, DiskName);

    /// <summary>What the machine was given along, where it was: part of the machine.</summary>
    public string Delivery => Path.Combine(Folder, DeliveryName);

    /// <summary>What a client of the golden machine's gateway presented, and trusted: <c>client.crt</c>, <c>client.key</c>, <c>client-ca.crt</c>. A copy lets it in until it is told who it is.</summary>
    public IReadOnlyList<string> Client => [.. ClientNames.Select(name => Path.Combine(Folder, name))];

    internal static readonly string[] ClientNames = ["client-ca.crt", "client.crt", "client.key"];

    /// <summary>The same, read; <see langword="null"/> where the image has none.</summary>
    public GatewayCertificates? ReadClient()
    {
        try
        {
            byte[][] read = [.. Client.Select(File.ReadAllBytes)];
            return new GatewayCertificates(read[0], read[1], read[2]);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>What it is (<see cref="GoldenRecord"/>).</summary>
    public string Record => Path.Combine(Folder, RecordName);
}

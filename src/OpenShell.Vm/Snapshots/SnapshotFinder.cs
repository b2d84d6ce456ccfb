using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Snapshots;

/// <summary>Finds what a start can go on from, and says why it cannot where it cannot. Changes nothing.</summary>
/// <param name="options">As given to the library.</param>
/// <param name="files">The instance's.</param>
/// <param name="config">With its defaults.</param>
/// <param name="host">What there is.</param>
internal sealed class SnapshotFinder(InstancesOptions options, InstanceFiles files, InstanceConfig config, HostFacts host)
{
    /// <summary>What there is to go on from; <see langword="null"/>: nothing, and <see cref="Notes"/> say why.</summary>
    /// <param name="plan">The machine as it would be powered on.</param>
    /// <param name="images">What is booted.</param>
    /// <param name="hypervisorSha256">Of QEMU's program.</param>
    /// <param name="delivery">The digest of what is given along; <see langword="null"/>: nothing is.</param>
    public ResumeChoice? Find(BootPlan plan, ImageSet images, string hypervisorSha256, string? delivery)
    {
        if (config.Start == StartKinds.Boot)
            return null;
        var machine = MachineIdentity.Of(plan, host, hypervisorSha256, images.Key);
        return new Snapshot(files) is { Exists: true } snapshot ? FindOwn(snapshot, machine, delivery)
            : files.ExistingStateDisk is null ? FindGolden(machine, delivery) : null;
    }

    /// <summary>Why not, each in one line.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>There is a memory of the instance's own, and what was only in it is lost by a boot.</summary>
    public bool RefusedOwn { get; private set; }

    private readonly List<string> _notes = [];

    private ResumeChoice? FindOwn(Snapshot snapshot, MachineIdentity machine, string? delivery)
    {
        SnapshotRecord record;
        try
        {
            record = snapshot.Read();
        }
        catch (FaultException e)
        {
            RefusedOwn = true;
            return Refuse(e.Faults[0].What);
        }

        var reasons = snapshot.WhyUnfit(record, machine, config, delivery);
        RefusedOwn = reasons.Count > 0;
        if (RefusedOwn)
            return Refuse($"the suspended memory does not fit any more: {string.Join("; ", reasons)}");
        var origin = InstanceStore.ReadOrigin(files);
        return new ResumeChoice
        {
            Title = "suspended memory",
            From = new SavedMachine(snapshot.Machine, HoldsMemory: record.Pages is null) { Pages = record.Pages is null ? null : snapshot.Pages },
            Memory = record.Base is not null ? new GuestMemory(MemorySharing.Private, files.MemoryBase) : record.NamesMemory ? new GuestMemory(MemorySharing.Anonymous, null) : null,

            // A clone of a suspended instance has its memory, and is somebody else.
            Becomes = origin is not null && origin.Identity != record.Identity ? origin : null,
            Delivery = record.Delivery,
            Base = record.Base,
        };
    }

    private ResumeChoice? FindGolden(MachineIdentity machine, string? delivery)
    {
        if (!options.UsesGolden)
            return Refuse("golden images are not used (OPENSHELL_VM_GOLDEN)");
        if (GoldenKey.WhyNot(config, host) is { } why)
            return Refuse($"no golden image can be used: {why}");
        var store = new GoldenStore(options.Directories);
        var key = GoldenKey.Of(config, machine, delivery);
        var hash = key.Hash();
        GoldenRecord? record;
        try
        {
            record = store.Read(hash);
        }
        catch (FaultException e)
        {
            return Refuse(e.Faults[0].What);
        }

        if (record is null)
            return Refuse(WhyNone(store, key));
        if (store.WhyUnfit(hash, record) is { } unfit)
            return Refuse($"the golden image {hash} cannot be used: {unfit}");
        var golden = store.Files(hash);
        return new ResumeChoice
        {
            Title = $"golden image {hash}",
            From = new SavedMachine(golden.Devices, HoldsMemory: false),
            Memory = new GuestMemory(MemorySharing.Private, golden.Memory),
            Golden = golden,
            Base = record.Files.FirstOrDefault(file => file.Name == GoldenFiles.MemoryName),
            Delivery = delivery,
            Becomes = new InstanceOrigin { Source = $"golden image {hash}", ClonedAt = options.Time.GetUtcNow(), NodeName = record.NodeName, Identity = Guid.NewGuid().ToString("N") },
        };
    }

    private static string WhyNone(GoldenStore store, GoldenKey key)
    {
        var nearest = store.List().Where(image => image.Key is not null).Select(image => image.Key!.Differences(key)).OrderBy(d => d.Count).FirstOrDefault();
        return nearest is null ? "no golden image is baked yet" : $"no golden image is baked of what is asked for; the nearest differs ({string.Join("; ", nearest)})";
    }

    private ResumeChoice? Refuse(string why)
    {
        _notes.Add(why);
        return null;
    }
}

using System.Globalization;
using System.Text;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>What is not as it was any more when an instance is to go on from its memory.</summary>
public enum MemoryDamage
{
    /// <summary>The file with its memory ends early.</summary>
    CutOff,

    /// <summary>It is written down as another QEMU's.</summary>
    OtherQemu,

    /// <summary>The start asks for a machine with another argument.</summary>
    OtherArgument,

    /// <summary>It is written down as another accelerator's.</summary>
    OtherAccelerator,

    /// <summary>It is written down as another processor's.</summary>
    OtherProcessor,

    /// <summary>It is written down as one of other images.</summary>
    OtherImages,

    /// <summary>The disk has moved on: the memory is an earlier one of the same instance.</summary>
    OlderThanDisk,

    /// <summary>The disk is another file, of the same content.</summary>
    OtherDisk,

    /// <summary>One bit of what is written down has flipped.</summary>
    FlippedBit,

    /// <summary>All that is compared fits, and QEMU cannot make anything of it.</summary>
    NotLoadable,
}

/// <param name="Reason">What a start says of it that boots then.</param>
/// <param name="Options">With which it is to be started.</param>
internal sealed record Damaged(string Reason, IReadOnlyList<string> Options)
{
    /// <summary>What a start says that is not to boot.</summary>
    public string ReasonOfRefusal { get; init; } = Reason;
}

/// <summary>Each of them, done to an instance at rest.</summary>
internal static class MemoryDamages
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Does it; <see cref="SuspendedCopy.Undo"/> takes it back.</summary>
    public static Task<Damaged> DoAsync(this MemoryDamage damage, SuspendedCopy copy) => damage switch
    {
        MemoryDamage.CutOff => Task.FromResult(CutOff(copy)),
        MemoryDamage.OtherQemu => WrittenDown(copy, machine => machine with { Hypervisor = "QEMU 1.2.3" }, "hypervisor: QEMU 1.2.3 -> QEMU "),
        MemoryDamage.OtherArgument => Task.FromResult(new Damaged("machine: 3072M -> 3100M", [.. GoldenFixture.Shape.Select(word => word == "3g" ? "3100m" : word)])),
        MemoryDamage.OtherAccelerator => WrittenDown(copy, machine => machine with { Accelerator = "another" }, "accelerator: another -> "),
        MemoryDamage.OtherProcessor => WrittenDown(copy, machine => machine with { Processor = "another" }, "processor: another -> "),
        MemoryDamage.OtherImages => WrittenDown(copy, machine => machine with { Images = new string('0', machine.Images.Length) }, "images: 000000000000 -> "),
        MemoryDamage.OlderThanDisk => Task.FromResult(OlderThanDisk(copy)),
        MemoryDamage.OtherDisk => Task.FromResult(OtherDisk(copy)),
        MemoryDamage.FlippedBit => FlippedBitAsync(copy),
        _ => NotLoadableAsync(copy),
    };

    private static Damaged CutOff(SuspendedCopy copy)
    {
        var memory = copy.Snapshot.Read().Pages ?? copy.Snapshot.Read().Machinery;
        var path = Path.Combine(copy.Files.Snapshot, memory.Name);
        File.Copy(copy.Replace(path), path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.SetLength(memory.Size / 2);
        return Same(string.Create(CultureInfo.InvariantCulture, $"{path} has {memory.Size / 2} bytes instead of {memory.Size}"));
    }

    private static Task<Damaged> WrittenDown(SuspendedCopy copy, Func<MachineIdentity, MachineIdentity> change, string reason)
    {
        copy.WriteDown(record => record with { Machine = change(record.Machine) });
        return Task.FromResult(Same(reason));
    }

    private static Damaged OlderThanDisk(SuspendedCopy copy)
    {
        var generation = DiskGeneration.Read(copy.Files);
        copy.Replace(copy.Files.Snapshot);
        Directory.Move(copy.Earlier, copy.Files.Snapshot);
        var earlier = copy.Snapshot.Read().Disk.Generation;
        earlier.ShouldBeLessThan(generation);
        return Same(string.Create(CultureInfo.InvariantCulture, $"the disk has moved on (generation {generation}; the memory is of {earlier})"));
    }

    private static Damaged OtherDisk(SuspendedCopy copy)
    {
        File.Copy(copy.Replace(copy.Files.StateDisk), copy.Files.StateDisk);
        return Same("state.qcow2 was written to or replaced since");
    }

    /// <summary>In a hash, so that it can be read as before, and by the seal alone is not what was written.</summary>
    private static async Task<Damaged> FlippedBitAsync(SuspendedCopy copy)
    {
        const string Before = "\"hash\": \"";
        var content = await File.ReadAllBytesAsync(copy.RecordFile, Cancelled);
        var at = content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Before));
        at.ShouldBeGreaterThan(0);
        content[at + Before.Length] ^= 1;
        copy.Replace(copy.RecordFile);
        await File.WriteAllBytesAsync(copy.RecordFile, content, Cancelled);
        return Same($"{copy.RecordFile} cannot be read: it was changed since it was written");
    }

    private static async Task<Damaged> NotLoadableAsync(SuspendedCopy copy)
    {
        copy.Replace(copy.Snapshot.Machine);
        await File.WriteAllTextAsync(copy.Snapshot.Machine, string.Concat(Enumerable.Repeat("no machine ", 1000)), Cancelled);
        var machinery = await SavedFile.MakeAsync(copy.Files.Snapshot, Snapshot.MachineName, Cancelled);
        copy.WriteDown(record => record with { Machinery = machinery });
        return Same("suspended memory could not be gone on from, and it boots: ") with { ReasonOfRefusal = "QEMU" };
    }

    /// <summary>Of a start as it was before.</summary>
    private static Damaged Same(string reason) => new(reason, GoldenFixture.Shape);
}

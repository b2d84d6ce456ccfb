using System.Globalization;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>The disk on which an instance keeps everything that changes.</summary>
internal static class StateDisk
{
    /// <summary>Its size as the guest sees it. It is sparse: what is never written takes no space on the host.</summary>
    internal const int SizeGib = 20;

    /// <summary>A cluster's images alone take two; and ext4 with blocks of 4 KiB ends at 16 TiB, in GiB.</summary>
    internal const int MinSizeGib = 4, MaxSizeGib = 16 << 10;

    /// <summary>A cluster writes some 700 MiB in its first minute; with less than this free it would fail half-way.</summary>
    private const long NeededBytes = 1L << 30;

    /// <summary>The one that is there; else qcow2 where it can be made. libkrun takes both, and macOS need not have qemu-img.</summary>
    internal static DiskFormat FormatFor(HostFacts host, InstanceFiles files) =>
        !File.Exists(files.StateDisk) && (File.Exists(files.RawStateDisk) || host is { QemuImg: null, Libkrun: not null }) ? DiskFormat.Raw : DiskFormat.Qcow2;

    /// <summary>Says so when there is no room for a new one; asked before anything else is made.</summary>
    /// <exception cref="FaultException"><c>disk.no-space</c>.</exception>
    internal static void RequireSpace(InstanceFiles files)
    {
        if (File.Exists(files.StateDisk) || File.Exists(files.RawStateDisk))
            return;
        var free = HostFiles.FreeBytes(files.Root);
        if (free < NeededBytes)
        {
            throw Fault("disk.no-space", string.Create(CultureInfo.InvariantCulture, $"{files.Root} has {free >> 20} MiB free; a new cluster needs {NeededBytes >> 20}."),
                "Free some space ('gateway image prune' may), or point XDG_DATA_HOME to a larger disk.", null);
        }
    }

    /// <summary>Creates it empty, whole or not at all; the guest puts its file system on it.</summary>
    internal static async Task CreateAsync(DiskFormat format, int sizeGib, HostFacts host, InstanceFiles files, CancellationToken cancellationToken)
    {
        if (format == DiskFormat.Raw)
        {
            using var disk = new FileStream(files.RawStateDisk, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly });
            disk.SetLength((long)sizeGib << 30);
            return;
        }

        var qemuImg = host.QemuImg ?? throw Fault("host.no-qemu-img", "There is no qemu-img on this host.", "Run 'sudo ./gateway setup', which installs it (package qemu-utils).", null);
        var aside = files.StateDisk + ".tmp";
        File.Delete(aside);
        await using (var child = ChildProcess.Start(Describe(qemuImg, aside, files, sizeGib)))
        {
            var reason = await child.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (reason.Code != 0)
                throw Fault("disk.not-created", $"qemu-img {reason} while creating {files.StateDisk}.{child.LastWords}", "See that the folder is writable and the disk is not full.", files.VmmLog);
        }

        File.SetUnixFileMode(aside, AtomicFile.OwnerOnly);
        File.Move(aside, files.StateDisk);
    }

    /// <summary>Makes the disk as large as the configuration wants it; the guest follows with its file system. Nothing happens to one that is as large already.</summary>
    /// <returns>Whether it has grown.</returns>
    internal static async Task<bool> GrowAsync(string disk, int? sizeGib, InstanceFiles files, CancellationToken cancellationToken)
    {
        if (sizeGib is not { } wanted || DiskImage.VirtualSize(disk) >= (long)wanted << 30)
            return false;
        if (DiskImage.IsRaw(disk))
        {
            using var raw = new FileStream(disk, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            raw.SetLength((long)wanted << 30);
            return true;
        }

        await QemuImg.Require().GrowAsync(disk, wanted, files.VmmLog, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// A host that lost its power has not yet written out what the guest had not asked to be kept, and that may be the end of the file; the guest's journal copes with it. More than this was cut off.
    /// </summary>
    private const long UnwrittenBytes = 256L << 20;

    /// <summary>Says so when the disk of the last run is gone, or something that it stands on: a new, empty one in its place would hide that; and when it is damaged, since the guest would see zeros.</summary>
    /// <exception cref="FaultException"><c>disk.missing</c>, <c>disk.unreadable</c>, <c>disk.cut-off</c>.</exception>
    internal static void RequireWhole(InstanceFiles files, InstanceStatus? last)
    {
        if (Missing(files, last) is { } fault)
            throw new FaultException(fault);
        foreach (var disk in files.ExistingStateDisk is { } top ? DiskImage.Chain(top) : [])
        {
            // What ended in order had everything written; so had whoever froze a base.
            var missing = DiskDamage.MissingBytes(disk);
            if (missing > (disk == files.ExistingStateDisk && last?.Phase is not (InstancePhase.Stopped or InstancePhase.Suspended) ? UnwrittenBytes : 0))
            {
                throw new FaultException(new Fault
                {
                    Code = "disk.cut-off",
                    What = string.Create(CultureInfo.InvariantCulture, $"The instance's disk {disk} is damaged: {missing >> 10} KiB of its data lie behind the end of the file, which was cut off."),
                    Remedy = Remedy(files),
                });
            }
        }
    }

    /// <summary>What is wrong with the disk; <see langword="null"/>: nothing that can be seen quickly from here.</summary>
    internal static Fault? Missing(InstanceFiles files, InstanceStatus? last)
    {
        if (files.ExistingStateDisk is not { } disk)
        {
            return last?.Stages.Any(s => s is { Stage: BootStages.Disk, State: Protocol.Messages.StageState.Completed }) == true
                ? new Fault { Code = "disk.missing", What = $"The instance's disk {files.StateDisk} is missing.", Remedy = Remedy(files) }
                : null;
        }

        foreach (var part in DiskImage.Chain(disk))
        {
            var standing = part == disk ? "" : $", on which {disk} stands,";
            if (!File.Exists(part))
                return new Fault { Code = "disk.missing", What = $"The disk {part}{standing} is missing.", Remedy = Remedy(files) };
            if (DiskDamage.OfTables(part) is { } damage)
                return new Fault { Code = "disk.unreadable", What = $"The {(part == disk ? "instance's disk" : "disk")} {part}{standing} is damaged: {damage}.", Remedy = Remedy(files) };
        }

        return DiskDamage.OfFileSystem(disk) is { } cut
            ? new Fault { Code = "disk.unreadable", What = $"The instance's disk {disk} is damaged: {cut}.", Remedy = Remedy(files) }
            : null;
    }

    private static string Remedy(InstanceFiles files) =>
        $"Put a copy of it back, or begin anew with 'gateway reset --name {Path.GetFileName(files.Root)}', which discards what the instance had.";

    /// <summary>What would run. Pure.</summary>
    internal static LaunchSpec Describe(string qemuImg, string path, InstanceFiles files, int sizeGib = SizeGib) => new()
    {
        Title = "qemu-img",
        Program = qemuImg,
        // lazy_refcounts: reference counts are written later and rebuilt after a crash, which saves a flush for each new cluster of the disk.
        Arguments = ["create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", path, string.Create(CultureInfo.InvariantCulture, $"{sizeGib}G")],
        LogFile = files.VmmLog,
    };

    private static FaultException Fault(string code, string what, string remedy, string? log) =>
        new(new Fault { Code = code, Stage = BootStages.Disk, What = what, Remedy = remedy, Log = log });
}

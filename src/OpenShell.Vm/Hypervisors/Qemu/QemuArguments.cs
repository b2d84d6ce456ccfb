using System.Globalization;
using OpenShell.Vm.Images;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Hypervisors.Qemu;

/// <summary>QEMU's argument list (https://www.qemu.org/docs/master/system/invocation.html) for x86-64 and AArch64, QEMU 7.2 and later. Pure; golden files test it.</summary>
internal static class QemuArguments
{
    /// <summary>
    /// Cache of translated code in MiB. QEMU's default on a 4 GiB guest is 1024 as well, but depends on the version; a cluster fills some 500 and a full cache is
    /// thrown away whole. Only touched pages cost memory.
    /// </summary>
    private const int TranslationCacheMib = 1024;

    internal static IEnumerable<string> For(BootPlan plan, Version? version) =>
    [
        .. Machine(plan),
        .. Kernel(plan),
        .. Console(plan),
        .. plan.Disks.SelectMany(Disk),
        .. plan.Shares.SelectMany(Share),
        .. Network(plan, version),
        .. Agent(plan),
        .. Control(plan),
        .. Resume(plan),
    ];

    private static IEnumerable<string> Machine(BootPlan plan) =>
    [
        // For ps, and for a person who wonders what this process is.
        "-name", $"openshell-{plan.Instance}",

        // No configuration files and no default devices: what is not on this line is not in the machine.
        "-no-user-config",
        "-nodefaults",

        "-machine", (IsArm(plan)
            // QEMU's own machine, after no board, described to the kernel by a device tree. The newest interrupt controller that the accelerator has: version 2 ends at 8 processors.
            ? "virt,gic-version=max"
            // q35 and not microvm, whose early boot hangs now and then under TCG. No devices that a server never needs: each is probed at boot.
            : "q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off") + (Memory(plan) is null ? "" : ",memory-backend=memory"),

        .. plan.Accelerator switch
        {
            // One host thread per virtual CPU. AArch64: signed return addresses by a function of QEMU's own, since the architecture's costs half of all time in emulation.
            // x86: without its promise that copying by single bytes is fast (erms, fsrm). QEMU does it byte by byte; a kernel that knows nothing of it takes eight at a time.
            Accelerator.Tcg => (string[])["-accel", string.Create(CultureInfo.InvariantCulture, $"tcg,thread=multi,tb-size={TranslationCacheMib}"), "-cpu", IsArm(plan) ? "max,pauth-impdef=on" : "max,-erms,-fsrm"],
            Accelerator.Kvm => ["-accel", "kvm", "-cpu", "host"],
            _ => ["-accel", "hvf", "-cpu", "host"],
        },

        "-smp", plan.Vcpus.ToString(CultureInfo.InvariantCulture),
        "-m", string.Create(CultureInfo.InvariantCulture, $"{plan.MemoryMib}M"),

        .. Memory(plan) is { } memory ? (string[])["-object", memory] : [],

        // No window and no VGA; the console is a serial port.
        "-display", "none",

        // A guest that reboots has panicked or was told to: QEMU ends instead, and the supervisor decides.
        "-no-reboot",

        // System calls that QEMU does not need after its start are forbidden to it (seccomp): no new processes, no change of user.
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",

        // Randomness from the host, so that the guest's pool is full before its first key is made.
        "-device", "virtio-rng-pci",
    ];

    private static bool IsArm(BootPlan plan) => Architectures.IsArm(plan.Architecture);

    private static IEnumerable<string> Kernel(BootPlan plan)
    {
        yield return "-kernel";
        yield return plan.Kernel ?? throw new ArgumentException("QEMU has no kernel of its own.", nameof(plan));
        if (plan.Initramfs is { } initramfs)
        {
            yield return "-initrd";
            yield return initramfs;
        }

        yield return "-append";
        yield return string.Join(' ', plan.KernelArguments);
    }

    private static IEnumerable<string> Console(BootPlan plan) =>
    [
        // Straight to a file, which the supervisor removes before each power-on: a reader can never hold the guest up. Appended to, so that it can be rotated.
        "-chardev", $"file,id=console,path={Escaped(plan.ConsoleLog)},append=on",
        "-serial", "chardev:console",
    ];

    private static IEnumerable<string> Disk(Disk disk, int index)
    {
        var format = disk.Format == DiskFormat.Raw ? "raw" : "qcow2";
        var node = string.Create(CultureInfo.InvariantCulture, $"disk{index}");
        return
        [
            // Read-only images are shared by all instances: QEMU then takes a shared lock, which others may take too.
            // A writable one: what the guest trims is given back to the host, and written zeroes too.
            "-blockdev", disk.ReadOnly
                ? $"driver={format},node-name={node},read-only=on,file.driver=file,file.filename={Escaped(disk.Path)}"
                : $"driver={format},node-name={node},discard=unmap,detect-zeroes=unmap,file.driver=file,file.filename={Escaped(disk.Path)},file.discard=unmap",

            // The guest finds it by its serial number, not by its place.
            "-device", $"virtio-blk-pci,drive={node},serial={disk.Serial}",
        ];
    }

    /// <summary>Where the guest's memory lies, if anybody but QEMU is to know. It has the same name in each case: a saved machine finds it by that.</summary>
    private static string? Memory(BootPlan plan)
    {
        var size = string.Create(CultureInfo.InvariantCulture, $"id=memory,size={plan.MemoryMib}M");
        return plan.Memory switch
        {
            { Sharing: MemorySharing.Shared, Path: { } path } => $"memory-backend-file,{size},mem-path={Escaped(path)},share=on",

            // The file is opened to be read only (it is read-only to its owner too), and mapped to be written: what is written stays with this process. rom=off says that this is meant (QEMU 8.2).
            { Sharing: MemorySharing.Private, Path: { } path } => $"memory-backend-file,{size},mem-path={Escaped(path)},share=off,readonly=on,rom=off",
            { Sharing: MemorySharing.Anonymous } => $"memory-backend-ram,{size}",

            // virtiofsd reads and writes the guest's memory itself.
            _ when plan.Shares.Any(share => share.Kind == ShareKind.VirtioFs) => $"memory-backend-memfd,{size},share=on",
            _ => null,
        };
    }

    /// <summary>A machine that goes on waits for the order to load its state (<see cref="QemuMigration"/>).</summary>
    private static IEnumerable<string> Resume(BootPlan plan) => plan.Resume switch
    {
        null => [],

        // The state of devices alone has no head that tells what machine it is of, and none is expected: that is compared before. (A machine of which none is expected cannot be migrated: QEMU 10.0 ends by that.)
        { Pages: not null } => ["-S", "-global", "migration.send-configuration=off", "-incoming", "defer"],
        _ => ["-incoming", "defer"],
    };

    private static IEnumerable<string> Share(SharedFolder share, int index)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"share{index}");
        return share.Kind == ShareKind.VirtioFs
            ? ["-chardev", $"socket,id={id},path={Escaped(share.Socket!)}", "-device", $"vhost-user-fs-pci,chardev={id},tag={share.Tag}"]
            :
            [
                // remap: a folder may reach over several file systems, whose inode numbers would clash.
                "-fsdev", $"local,id={id},path={Escaped(share.Path)},security_model={(share.MapOwners ? "mapped-xattr,fmode=0644,dmode=0755" : "none")},multidevs=remap{(share.ReadOnly ? ",readonly=on" : "")}",
                "-device", $"virtio-9p-pci,fsdev={id},mount_tag={share.Tag}",
            ];
    }

    /// <summary>Whether this version connects again to a network that went away. The option came with 8.0, and is called by its unit since 9.2 (docs/about/removed-features and net.json of QEMU 10).</summary>
    internal static bool Reconnects(Version? version) => version >= new Version(8, 0);

    private static IEnumerable<string> Network(BootPlan plan, Version? version) => plan.Network is not { } network
        ? []
        :
        [
            // gvproxy listens, QEMU connects; when this connection ends, so does gvproxy. When it is gvproxy that ended, QEMU tries until there is another.
            "-netdev", $"stream,id=net,server=off,addr.type=unix,addr.path={Escaped(network.Socket)}"
                + (version >= new Version(9, 2) ? ",reconnect-ms=200" : Reconnects(version) ? ",reconnect=1" : ""),
            "-device", $"virtio-net-pci,netdev=net,mac={network.MacAddress},romfile=",
        ];

    private static IEnumerable<string> Agent(BootPlan plan) =>
    [
        "-chardev", $"socket,id=agent,path={Escaped(plan.AgentSocket)},server=on,wait=off",
        "-device", "virtio-serial-pci",
        "-device", $"virtserialport,chardev=agent,name={GuestPaths.AgentPortName}",
    ];

    private static IEnumerable<string> Control(BootPlan plan) =>
    [
        "-chardev", $"socket,id=qmp,path={Escaped(plan.ControlSocket!)},server=off",
        "-mon", "chardev=qmp,mode=control",
    ];

    // In QEMU's option syntax a comma ends a value; a doubled one stands for itself.
    private static string Escaped(string path) => path.Replace(",", ",,", StringComparison.Ordinal);
}

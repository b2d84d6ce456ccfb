using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Stage 1, as <c>/init</c> of the initramfs: from nothing to <see cref="GuestPaths.Init"/> in the root image.</summary>
internal static class InitramfsStage
{
    private const string ModuleFolder = "/lib/modules";
    private const string ModuleList = ModuleFolder + "/boot.list";
    private const string NewRoot = "/newroot";

    // statfs(2) f_type of the two file systems that can hold an initramfs: include/uapi/linux/magic.h
    private const long RamfsMagic = 0x858458F6, TmpfsMagic = 0x01021994;

    /// <summary>Whether this process is in an initramfs: the root is in memory.</summary>
    public static unsafe bool IsCurrent()
    {
        var buffer = stackalloc long[64];
        return Linux.StatFileSystem("/", buffer) == 0 && buffer[0] is RamfsMagic or TmpfsMagic;
    }

    /// <summary>Never returns: executes stage 2.</summary>
    /// <exception cref="GuestFaultException">There is no root, or it cannot be mounted.</exception>
    public static void Run()
    {
        Mounter.MountAll(MountPlan.Initramfs);
        KernelConsole.Attach();
        var errors = LoadModules();
        MountRoot(errors);
        MoveMounts();
        Free();
        SwitchRoot();
    }

    private static IReadOnlyList<string> LoadModules()
    {
        // A kernel that has everything built in comes without a list.
        var errors = File.Exists(ModuleList) ? ModuleLoader.LoadAll(ModuleLoader.Parse(File.ReadAllText(ModuleList), ModuleFolder)) : [];
        foreach (var error in errors)
            KernelConsole.Say("module not loaded: " + error);
        return errors;
    }

    private static void MountRoot(IReadOnlyList<string> moduleErrors)
    {
        var device = BlockDevices.WaitFor(GuestPaths.RootSerial, BlockDevices.Patience) ?? throw new GuestFaultException(
            "guest.root-disk-missing",
            $"no disk with serial '{GuestPaths.RootSerial}' came within {BlockDevices.Patience.TotalSeconds} s; disks: {BlockDevices.Describe()}"
                + (moduleErrors.Count == 0 ? "." : $"; modules that did not load: {string.Join(", ", moduleErrors)}."),
            "Check the hypervisor's disk arguments, and that the initramfs holds virtio_pci and virtio_blk of this very kernel.");
        var type = FileSystemSignature.Identify(FileSystemSignature.ReadStart(device)) ?? throw new GuestFaultException(
            "guest.root-image-unknown", $"{device} is neither squashfs, erofs nor ext4.", "Rebuild the root image.");
        Mounter.Mount(new MountEntry { Source = device, Target = NewRoot, Type = type, Flags = Linux.MsReadOnly });
    }

    private static void MoveMounts()
    {
        foreach (var entry in MountPlan.Initramfs)
            Mounter.Move(entry.Target, NewRoot + entry.Target);
    }

    /// <summary>Gives the memory of the initramfs back: what is deleted here is freed once stage 2 replaces this program.</summary>
    private static void Free()
    {
        foreach (var path in Directory.EnumerateFileSystemEntries("/"))
        {
            if (path == NewRoot)
                continue;
            if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
        }
    }

    private static void SwitchRoot()
    {
        // The order of switch_root(8): the new root is moved over the old one, and only then is the process' root changed.
        if (Linux.ChangeDirectory(NewRoot) == 0 && Linux.Mount(".", "/", null, Linux.MsMove, null) == 0 && Linux.Chroot(".") == 0 && Linux.ChangeDirectory("/") == 0)
            _ = Linux.Execute(GuestPaths.Init, [GuestPaths.Init, null]);
        throw new GuestFaultException("guest.root-image-broken", $"{GuestPaths.Init} cannot be executed: {Errno.LastText}.", "Rebuild the root image.");
    }
}

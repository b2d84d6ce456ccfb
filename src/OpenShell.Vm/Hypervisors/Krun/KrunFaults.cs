using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>What can go wrong with libkrun, each with its remedy.</summary>
internal static class KrunFaults
{
    // Numbers that Linux and macOS share.
    private const int NotPermitted = 1, NoEntry = 2, AccessDenied = 13, Exists = 17, NoDevice = 19;

    private const string Guide = "docs/libkrun.md says how to install it";

    internal static Fault NoLibrary(string? runtimeDirectory, HostFacts host) => runtimeDirectory is not null
        ? Fault("krun.not-found", $"There is no libkrun in {runtimeDirectory}.", $"Name a folder that holds {(IsMac(host) ? "libkrun.1.dylib" : "libkrun.so.1")}, or leave --runtime-dir and {KrunHypervisor.RuntimeVariable} away.", BootStages.HostProbe)
        : Fault("krun.not-found", "There is no libkrun on this host.", $"{Install(host)}; or use --hypervisor qemu. {Guide}.", BootStages.HostProbe);

    internal static Fault NoFirmware(string? runtimeDirectory, HostFacts host) => Fault(
        "krun.no-firmware",
        $"There is no libkrunfw, whose kernel boots --rootfs, {(runtimeDirectory is null ? "on this host" : $"in {runtimeDirectory} or elsewhere on this host")}.",
        $"{Install(host)}; {Guide}.",
        BootStages.HostProbe);

    internal static Fault NoHardware(HostFacts host) => Fault(
        "krun.no-hardware",
        "libkrun runs on hardware virtualization only, and this host has none that is usable: "
            + string.Join("; ", host.Accelerators.Where(a => a.Accelerator != Accelerator.Tcg).Select(a => a.Reason)) + ".",
        "Use --hypervisor qemu, which can emulate.",
        BootStages.HostProbe);

    internal static Fault NoProgram() => Fault(
        "krun.no-program",
        "This program has no command that becomes a libkrun machine.",
        "Set InstancesOptions.VmmCommand to one that calls KrunProcess.Run, or use QEMU.",
        BootStages.HostProbe);

    internal static FaultException NotLoaded(string library, Exception cause) => new(
        Fault("krun.not-loaded", $"{library} cannot be loaded: {cause.Message.ReplaceLineEndings(" ")}", $"See that it and the libraries that it needs are of one version and for this processor; {Guide}."),
        cause);

    internal static FaultException FirmwareMissing(int version, IReadOnlyList<string> found) => new(Fault(
        "krun.no-firmware",
        $"This libkrun wants libkrunfw with ABI {version}; found: {(found.Count == 0 ? "none" : string.Join(", ", found))}.",
        $"Install the libkrunfw that belongs to it; {Guide}."));

    /// <summary>An export is missing for which there is no substitute.</summary>
    /// <param name="function">The export.</param>
    /// <param name="why">What it is needed for, and since when it is there.</param>
    internal static FaultException Missing(string function, string why) => new(Fault(
        "krun.call-missing",
        $"libkrun has no {function}: {why}.",
        $"Install libkrun 1.17 or later, built with BLK=1 NET=1 (packages are); {Guide}."));

    internal static FaultException KernelUnknown(string kernel) => new(Fault(
        "krun.kernel-format",
        $"{kernel} is no kernel that libkrun can start.",
        "It takes vmlinux (ELF) and bzImage with gzip, bzip2 or zstd on x86-64, Image and its gzip'ed EFI form on arm64."));

    internal static FaultException KernelLacks(string kernel, string option) => new(Fault(
        "krun.kernel-lacks",
        $"{kernel} was built without {option}: it would not find libkrun's devices.",
        "Boot a kernel that has it, as the one that 'gateway kernel build' makes, or a folder with --rootfs; or use --hypervisor qemu."));

    internal static FaultException KernelUnreadable(string kernel, Exception cause) => new(
        Fault("krun.kernel-unreadable", $"{kernel} cannot be read: {cause.Message}", "'gateway image verify' checks the images."),
        cause);

    internal static FaultException NoSocket(string socket, Exception cause) => new(
        Fault("krun.network-socket", $"gvproxy's socket {socket} cannot be connected to: {cause.Message}", "Start the instance again; if it happens again, see gvproxy.log."),
        cause);

    internal static FaultException PlanUnreadable(string path, Exception? cause) => new(
        Fault("krun.plan-unreadable", $"The plan {path} cannot be read{(cause is null ? "" : $": {cause.Message.TrimEnd('.')}")}.", "This command is for gateway itself; 'gateway up' starts a machine."),
        cause);

    /// <summary>A call that returned a negative number: minus the errno.</summary>
    internal static FaultException CallFailed(KrunCall call, int result)
    {
        var errno = -result;
        var (code, remedy) = call switch
        {
            KrunCall.StartEnter => AtStart(errno),
            KrunCall.AddVsockPort2 port when errno == Exists => ("krun.socket-in-the-way", $"Remove {port.Socket}, which another run has left."),
            KrunCall.AddDisk2 or KrunCall.AddDisk3 => ("krun.call-failed", "See that the image is there and may be read and, if it is the state disk, written."),
            KrunCall.SetKernel => ("krun.call-failed", "See that kernel and initramfs are there; 'gateway image verify' checks them."),
            KrunCall.SetVmConfig => ("krun.call-failed", "Ask for fewer --vcpus or less --mem."),
            _ => ("krun.call-failed", "Its log, with --krun-log-level 4, may say more."),
        };
        return new FaultException(Fault(code, $"{call.Function} failed: errno {errno}, {Marshal.GetPInvokeErrorMessage(errno)} ({call}).", remedy));
    }

    // The one call in which everything is opened; it answers nearly every failure with EINVAL (src/libkrun/src/lib.rs at v1.17.4), so what is known of the host decides.
    private static (string Code, string Remedy) AtStart(int errno) => errno switch
    {
        NoEntry => ("krun.no-firmware", $"Install libkrunfw, whose kernel it wants; {Guide}."),
        _ when OperatingSystem.IsMacOS() => ("krun.no-entitlement", "See that the program has the entitlement com.apple.security.hypervisor ('codesign -d --entitlements - FILE'): ./gateway signs it when it builds it."),
        _ => KvmDevice.Open() switch
        {
            0 => ("krun.not-started", "Its log, with --krun-log-level 4, says which part it could not make; fewer devices, --vcpus or less --mem may help."),
            AccessDenied or NotPermitted => ("krun.kvm-denied", $"You may not open {KvmDevice.Path}: 'sudo usermod -aG kvm $USER', then log in again."),
            NoEntry or NoDevice => ("krun.no-kvm", "This host has no KVM: enable virtualization in its firmware and load kvm_intel or kvm_amd, or use --hypervisor qemu."),
            var other => ("krun.kvm-unusable", $"{KvmDevice.Path} cannot be opened ({Marshal.GetPInvokeErrorMessage(other)}); use --hypervisor qemu."),
        },
    };

    private static bool IsMac(HostFacts host) => host.OperatingSystem == "macos";

    private static string Install(HostFacts host) => IsMac(host)
        ? "Install it: 'brew tap slp/krun && brew install libkrun libkrunfw'"
        : "Install it: 'sudo dnf install libkrun libkrunfw' on Fedora, 'sudo pacman -S libkrun libkrunfw' on Arch";

    private static Fault Fault(string code, string what, string remedy, string stage = BootStages.Vmm) => new() { Code = code, Stage = stage, What = what, Remedy = remedy };
}

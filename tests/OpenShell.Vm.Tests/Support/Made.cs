using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Tests.Support;

/// <summary>Made-up facts for what is pure.</summary>
internal static class Made
{
    internal static HostFacts Host(bool kvm = false) => new()
    {
        OperatingSystem = "linux",
        Architecture = "x86_64",
        Cores = 8,
        MemoryMib = 16384,
        Qemu = "/usr/bin/qemu-system-x86_64",
        QemuVersion = new Version(10, 0, 2),
        QemuImg = "/usr/bin/qemu-img",
        Gvproxy = "/usr/bin/gvproxy",
        Accelerators =
        [
            new AcceleratorFact { Accelerator = Accelerator.Kvm, Usable = kvm, Reason = kvm ? "full speed" : "there is no /dev/kvm" },
            new AcceleratorFact { Accelerator = Accelerator.Tcg, Usable = true, Reason = "works everywhere" },
        ],
    };

    /// <summary>An x86-64 host, for guests of AArch64.</summary>
    internal static HostFacts Foreign() => Host() with { GuestArchitecture = "aarch64", Qemu = "/usr/bin/qemu-system-aarch64" };

    /// <summary>An AArch64 host with hardware virtualization.</summary>
    internal static HostFacts Arm(Accelerator accelerator) => Host() with
    {
        OperatingSystem = accelerator == Accelerator.Hvf ? "macos" : "linux",
        Architecture = "aarch64",
        Qemu = "/usr/bin/qemu-system-aarch64",
        Accelerators = [new AcceleratorFact { Accelerator = accelerator, Usable = true, Reason = "full speed" }],
    };

    internal static ImageSet Images { get; } = new() { Kernel = "/cache/kernel", Initramfs = "/cache/initramfs", Root = "/cache/root.img", Key = "0123456789abcdef" };

    internal static InstanceFiles Files(string name = "default") => InstanceFiles.For(
        new HostDirectories { Data = "/data", Cache = "/cache", OpenShellConfig = "/config", Runtime = "/run/user/1000/openshell-vm", Kube = "/home/u/.kube" },
        InstanceName.Parse(name));
}

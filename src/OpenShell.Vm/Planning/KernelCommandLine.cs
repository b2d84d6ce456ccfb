namespace OpenShell.Vm.Planning;

/// <summary>
/// The kernel's arguments (https://docs.kernel.org/admin-guide/kernel-parameters.html), each with its reason. Nothing here configures the guest's user space:
/// that comes over the agent channel. The root is mounted by the initramfs, so there is no <c>root=</c>. libkrun allows 2048 bytes in all.
/// </summary>
internal static class KernelCommandLine
{
    internal static IReadOnlyList<string> For(Accelerator accelerator) =>
        [.. Always, .. accelerator == Accelerator.Tcg ? UnderEmulation : []];

    private static readonly string[] Always =
    [
        // The serial port, which the hypervisor writes to console.log.
        "console=ttyS0",

        // Warnings and worse only: each line costs a millisecond or more of a serial port, under emulation several.
        "quiet",

        // The one interface is eth0, whatever bus it is on.
        "net.ifnames=0",

        // A panic reboots at once, and -no-reboot makes that the hypervisor's end: a dead guest is noticed in milliseconds.
        "panic=-1",

        // Also a kernel bug that the kernel would try to live on with: a VM is started anew more easily than it is debugged.
        "oops=panic",

        // Trust what the processor and the host give as randomness: getrandom() then does not wait at boot.
        "random.trust_cpu=on",
        "random.trust_bootloader=on",
    ];

    private static readonly string[] UnderEmulation =
    [
        // Workarounds for speculation in real processors. TCG does not speculate; the kernel would only run the costly paths.
        "mitigations=off",

        // Address layout randomization of the kernel costs a relocation pass of the whole image at boot.
        "nokaslr",

        // The TSC is the clock (docs/adr/0004): TCG's are synchronous by construction, but the kernel's test of that takes emulation's slowness for a difference and
        // falls back to the HPET, whose every reading is a device access under QEMU's global lock.
        "tsc=reliable",
    ];
}

using System.Runtime.InteropServices;
using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Bench.Tests;

public sealed class VirtmeNgTests
{
    [Fact]
    public void It_boots_the_same_kernel_with_the_same_accelerator_processors_and_memory() =>
        string.Join(' ', VirtmeNg.Arguments("/usr/bin/qemu", "/k/kernel", modules: true, 2, 512, Accelerator.Tcg, Architecture.X64)).ShouldBe(
            "--kimg /k/kernel --mods auto --script-sh true --cpus 2 --memory 512M --qemu-bin /usr/bin/qemu --disable-microvm "
            + "--qemu-opt=-machine --qemu-opt=q35 --disable-kvm --qemu-opt=-cpu --qemu-opt=max --qemu-opt=-accel --qemu-opt=tcg,thread=multi");

    [Fact]
    public void With_KVM_it_says_itself_which_accelerator_and_processor()
    {
        var arguments = VirtmeNg.Arguments("/usr/bin/qemu", "/k/kernel", modules: true, 2, 512, Accelerator.Kvm, Architecture.X64);

        arguments.ShouldNotContain("--disable-kvm");
        arguments.ShouldNotContain("--qemu-opt=-accel");
        arguments.ShouldContain("--qemu-opt=q35");
    }

    [Fact]
    public void A_kernel_without_modules_is_booted_without_any() =>
        VirtmeNg.Arguments("/usr/bin/qemu", "/k/kernel", modules: false, 2, 512, Accelerator.Tcg, Architecture.X64).Take(4).ShouldBe(["--kimg", "/k/kernel", "--mods", "none"]);

    [Fact]
    public void Another_processor_has_another_machine() =>
        VirtmeNg.Arguments("/usr/bin/qemu", "/k/kernel", modules: true, 2, 512, Accelerator.Tcg, Architecture.Arm64).ShouldNotContain("--qemu-opt=-machine");

    [Fact]
    public void What_is_not_on_the_host_is_told_with_the_way_to_get_it()
    {
        VirtmeNg.Lacking(_ => true).ShouldBeNull();
        VirtmeNg.Lacking(name => name is "virtme-run" or "virtiofsd" or "busybox").ShouldBeNull();
        VirtmeNg.Lacking(name => name is "virtme-run").ShouldNotBeNull().ShouldStartWith("without virtiofsd, busybox-static (");
        VirtmeNg.Lacking(_ => false).ShouldNotBeNull().ShouldContain("apt-get install virtme-ng");
    }
}

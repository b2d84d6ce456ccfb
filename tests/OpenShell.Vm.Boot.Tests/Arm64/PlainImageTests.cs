using OpenShell.Vm.Boot.Tests.Programs;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Boot.Tests.Arm64;

/// <summary>Debian for AArch64, as it is made on a machine that cannot run it, under QEMU's emulation of such a machine; without this project's own programs, so that nothing but the images is tried.</summary>
public sealed class PlainImageTests : ProgramTest
{
    [Theory]
    [InlineData(KernelNames.Debian)]
    [InlineData(KernelNames.Custom)]
    public async Task It_comes_to_a_prompt_and_its_programs_run(string kernel)
    {
        await OtherProcessor.SkipUnlessThereAsync();
        var builder = new ImageBuilder(HostDirectories.FromEnvironment());
        if (kernel == KernelNames.Custom)
            await SkipUnlessCachedAsync(builder);
        var images = await builder.EnsureAsync(
            new ImageRequest { Mode = GuestMode.Exec, Architecture = OtherProcessor.Name, WithoutGuest = true, Kernel = kernel }, null, TestContext.Current.CancellationToken);

        await using var machine = await SerialMachine.StartAsync(images, Home);

        (await machine.AskAsync("uname -m")).ShouldBe("aarch64");
        (await machine.AskAsync("uname -r")).ShouldEndWith(kernel == KernelNames.Custom ? "-openshell" : "-cloud-arm64");
        (await machine.AskAsync("busybox | head -n 1")).ShouldStartWith("BusyBox v1.");
        (await machine.AskAsync("cat /etc/debian_version")).ShouldStartWith("12");
        (await machine.AskAsync("stat -c %U:%G /etc/passwd")).ShouldBe("root:root");

        // What no maintainer's script has made, but is there all the same.
        (await machine.AskAsync("iptables --version")).ShouldEndWith("(nf_tables)");
        (await machine.AskAsync("/usr/bin/awk 'BEGIN { print 6 * 7 }'")).ShouldBe("42");
        (await machine.AskAsync("readlink /var/run")).ShouldBe("/run");
        (await machine.AskAsync("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")).Length.ShouldBe(3);
        // Without /proc, which our own kernel's root comes without, it complains first.
        (await machine.AskAsync("containerd --version 2>/dev/null")).ShouldStartWith("containerd ");

        (await machine.PowerOffAsync()).ShouldBe(0);
    }

    private static async Task SkipUnlessCachedAsync(ImageBuilder builder)
    {
        var artifacts = await builder.ListAsync(TestContext.Current.CancellationToken);
        if (!artifacts.Any(a => a is { Current: true, Fault: null } && a.Kind == CustomKernelRecipe.KindFor(OtherProcessor.Name)))
            Assert.Skip($"our own kernel for {OtherProcessor.Name} is not in the image cache: 'gateway kernel build --arch {OtherProcessor.Name}' makes it in some 20 minutes");
    }
}

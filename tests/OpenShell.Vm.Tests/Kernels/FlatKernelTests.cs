using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Tests.Images;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class FlatKernelTests
{
    // Like a vmlinux: linked to run high, loaded low, with a gap between its segments and memory behind them that the file does not hold.
    private const string Code = "int data = 42; char zero[100000]; void _start(void) { data = zero[5]; for (;;) ; }";

    private const string Layout = """
        ENTRY(entry)
        PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }
        SECTIONS {
          . = 0xffffffff81000000;
          .text : AT(ADDR(.text) - 0xffffffff80000000) { *(.text*) } :text
          entry = _start - 0xffffffff80000000;
          . = 0xffffffff81003000;
          .data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data*) } :data
          .bss : AT(ADDR(.bss) - 0xffffffff80000000) { *(.bss*) } :data
          /DISCARD/ : { *(.note*) *(.comment*) *(.eh_frame*) }
        }
        """;

    [Fact]
    public async Task A_vmlinux_is_laid_out_as_objcopy_lays_it_out()
    {
        using var folder = new TemporaryFolder();
        folder.Write("k.c", Code);
        folder.Write("k.ld", Layout);
        await HostTool.RunAsync("gcc", ["-O1", "-mcmodel=kernel", "-fno-pic", "-no-pie", "-nostdlib", "-static", "-Wl,--build-id=none", "-T", folder.File("k.ld"), "-o", folder.File("vmlinux"), folder.File("k.c")]);
        await HostTool.RunAsync("objcopy", ["-O", "binary", folder.File("vmlinux"), folder.File("flat")]);

        var kernel = FlatKernel.OfVmlinux(await File.ReadAllBytesAsync(folder.File("vmlinux"), TestContext.Current.CancellationToken));

        kernel.LoadAddress.ShouldBe(0x1000000ul);
        kernel.Entry.ShouldBe(0x1000000ul);
        kernel.Image.ToArray().ShouldBe(await File.ReadAllBytesAsync(folder.File("flat"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_program_of_the_host_is_no_kernel() =>
        Should.Throw<InvalidDataException>(() => FlatKernel.OfArmImage(File.ReadAllBytes("/bin/sh"))).Message.ShouldContain("AArch64");

    [Fact]
    public void An_image_of_AArch64_is_taken_as_it_is()
    {
        var image = new byte[4096];
        "ARMd"u8.CopyTo(image.AsSpan(0x38));

        var kernel = FlatKernel.OfArmImage(image);

        (kernel.LoadAddress, kernel.Entry, kernel.Image.Length).ShouldBe((0x80000000ul, 0x80000000ul, 4096));
    }

    [Fact]
    public void Our_kernel_lies_where_libkrun_expects_it_and_tells_its_configuration()
    {
        var kernel = FlatKernel.OfVmlinux(File.ReadAllBytes(CachedKernels.Custom(CustomKernelRecipe.Image)));

        kernel.LoadAddress.ShouldBe(0x1000000ul);
        kernel.Entry.ShouldBeInRange(0x1000000ul, 0x1200000ul);
        EmbeddedConfiguration.Release(kernel.Image.Span).ShouldBe(File.ReadAllText(CachedKernels.Custom(CustomKernelRecipe.Release)).Trim());
        EmbeddedConfiguration.Find(kernel.Image.Span)!.Values.ShouldBe(
            KernelConfiguration.Parse(File.ReadAllText(CachedKernels.Custom(CustomKernelRecipe.Configuration))).Values, ignoreOrder: true);
    }
}

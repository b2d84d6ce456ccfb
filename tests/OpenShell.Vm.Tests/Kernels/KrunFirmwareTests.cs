using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Tests.Images;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class KrunFirmwareTests : IDisposable
{
    // libkrun's way with it, in C: the address must be that of whole pages, and the image is written to.
    private const string Client = """
        #include <dlfcn.h>
        #include <stdint.h>
        #include <stdio.h>
        int main(int argc, char **argv) {
            void *library = dlopen(argv[1], RTLD_NOW);
            if (!library) { puts(dlerror()); return 1; }
            char *(*get_kernel)(size_t *, size_t *, size_t *) = dlsym(library, "krunfw_get_kernel");
            int (*get_version)(void) = dlsym(library, "krunfw_get_version");
            if (!get_kernel || !get_version) { puts(dlerror()); return 2; }
            size_t load = 0, entry = 0, size = 0;
            unsigned char *image = (unsigned char *)get_kernel(&load, &entry, &size);
            unsigned long sum = 0;
            for (size_t i = 0; i < size; i++) sum = sum * 31 + image[i];
            image[0]++; image[size - 1]++;
            printf("%d %zx %zx %zx %lx %lx\n", get_version(), load, entry, size, (unsigned long)((uintptr_t)image % 4096), sum);
            return 0;
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_back_by_the_systems_loader()
    {
        var kernel = Kernel(Here, 100_001);

        var read = KrunFirmware.Read(Write(kernel));

        read.Version.ShouldBe(5);
        read.Kernel.LoadAddress.ShouldBe(kernel.LoadAddress);
        read.Kernel.Entry.ShouldBe(kernel.Entry);
        read.Kernel.Image.Length.ShouldBe(0x20000); // whole pages of any size
        read.Kernel.Image[..100_001].ToArray().ShouldBe(kernel.Image.ToArray());
        read.Kernel.Image[100_001..].ToArray().ShouldAllBe(b => b == 0);
    }

    [Fact]
    public async Task A_program_in_C_finds_both_functions_and_may_write_to_the_image()
    {
        var kernel = Kernel(Here, 70_000);
        _folder.Write("client.c", Client);
        await HostTool.RunAsync("gcc", ["-Wall", "-Werror", "-o", _folder.File("client"), _folder.File("client.c"), "-ldl"]);

        var said = await HostTool.RunAsync(_folder.File("client"), [Write(kernel)]);

        said.ShouldBe($"5 {kernel.LoadAddress:x} {kernel.Entry:x} 20000 0 {Sum(kernel, 0x20000):x}\n");
    }

    [Fact]
    public async Task Readelf_finds_nothing_wrong_and_the_librarys_name()
    {
        var library = Write(Kernel(KernelMachine.X64, 1000));

        (await HostTool.RunAsync("readelf", ["--dynamic", "--segments", "--wide", library])).ShouldContain("Library soname: [libkrunfw.so.5]");
        var symbols = await HostTool.RunAsync("readelf", ["--symbols", "--use-dynamic", "--wide", library]);
        symbols.ShouldContain("krunfw_get_kernel");
        symbols.ShouldContain("krunfw_get_version");
    }

    [Fact]
    public async Task The_code_for_AArch64_is_what_was_meant()
    {
        var code = KrunFirmwareCode.GetKernel(Kernel(KernelMachine.Arm64, 1), 0x10000, at: 0x220, image: 0x10000);
        await File.WriteAllBytesAsync(_folder.File("code"), code, TestContext.Current.CancellationToken);
        var text = await HostTool.RunAsync("aarch64-linux-gnu-objdump", ["-D", "-b", "binary", "-m", "aarch64", "--adjust-vma=0x220", "--stop-address=0x244", _folder.File("code")]);

        var instructions = text.Split('\n').Where(l => l.StartsWith(' ') && l.Contains(":\t", StringComparison.Ordinal)).Select(l => string.Join(' ', l.Split('\t')[2..]));
        instructions.ShouldBe(["bti c", "ldr x3, 0x244", "str x3, [x0]", "ldr x3, 0x24c", "str x3, [x1]", "ldr x3, 0x254", "str x3, [x2]", "adr x0, 0x10000", "ret"]);
        BitConverter.ToUInt64(code, 36).ShouldBe(0x12345000ul);
        BitConverter.ToUInt64(code, 44).ShouldBe(0x12345678ul);
        BitConverter.ToUInt64(code, 52).ShouldBe(0x10000ul);
    }

    [Fact]
    public void Equal_kernels_make_equal_libraries()
    {
        using MemoryStream one = new(), two = new();
        KrunFirmwareWriter.Write(Kernel(KernelMachine.Arm64, 5000), one);
        KrunFirmwareWriter.Write(Kernel(KernelMachine.Arm64, 5000), two);

        one.ToArray().ShouldBe(two.ToArray());
    }

    [Fact]
    public void What_is_no_library_is_refused_with_the_remedy()
    {
        _folder.Write("libkrunfw.so.5", "nothing");

        var fault = Should.Throw<FaultException>(() => KrunFirmware.Read(_folder.File("libkrunfw.so.5"))).Faults[0];

        fault.Code.ShouldBe("kernel.firmware-unusable");
        fault.Remedy.ShouldContain("gateway kernel build");
    }

    [Fact]
    public async Task A_library_without_the_functions_is_refused()
    {
        _folder.Write("other.c", "int krunfw_get_version(void) { return 5; }");
        await HostTool.RunAsync("gcc", ["-shared", "-fPIC", "-o", _folder.File("libkrunfw.so.5"), _folder.File("other.c")]);

        Should.Throw<FaultException>(() => KrunFirmware.Read(_folder.File("libkrunfw.so.5"))).Faults[0].What.ShouldContain("krunfw_get_kernel");
    }

    [Fact]
    public async Task Debians_library_gives_its_kernel_which_keeps_its_configuration_to_itself()
    {
        var stock = KrunFirmware.Read(await CachedKernels.StockAsync());

        stock.Version.ShouldBe(5);
        stock.Kernel.LoadAddress.ShouldBe(0x1000000ul);
        stock.Kernel.Entry.ShouldBeInRange(0x1000000ul, 0x1001000ul);
        EmbeddedConfiguration.Release(stock.Kernel.Image.Span)!.ShouldStartWith("6.");
        EmbeddedConfiguration.Find(stock.Kernel.Image.Span).ShouldBeNull();
    }

    [Fact]
    public void Our_library_holds_the_very_kernel_that_QEMU_boots()
    {
        var kernel = FlatKernel.OfVmlinux(File.ReadAllBytes(CachedKernels.Custom(CustomKernelRecipe.Image)));

        var firmware = KrunFirmware.Read(CachedKernels.Custom(CustomKernelRecipe.Firmware));

        (firmware.Version, firmware.Kernel.LoadAddress, firmware.Kernel.Entry).ShouldBe((5, kernel.LoadAddress, kernel.Entry));
        firmware.Kernel.Image.Span[..kernel.Image.Length].SequenceEqual(kernel.Image.Span).ShouldBeTrue();
    }

    private static KernelMachine Here => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? KernelMachine.Arm64 : KernelMachine.X64;

    private static FlatKernel Kernel(KernelMachine machine, int size)
    {
        var image = new byte[size];
        new Random(5).NextBytes(image);
        return new FlatKernel(machine, 0x12345000, 0x12345678, image);
    }

    private static ulong Sum(FlatKernel kernel, int size)
    {
        var sum = 0ul;
        for (var i = 0; i < size; i++)
            sum = (sum * 31) + (i < kernel.Image.Length ? kernel.Image.Span[i] : 0ul);
        return sum;
    }

    private string Write(FlatKernel kernel)
    {
        using var library = File.Create(_folder.File("libkrunfw.so.5"));
        KrunFirmwareWriter.Write(kernel, library);
        return library.Name;
    }
}

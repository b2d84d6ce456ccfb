using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

public sealed class KrunKernelTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_vmlinux_is_ELF() => Format(false, (0, "\x7f\x45LF")).ShouldBe(KrunKernelFormat.Elf);

    [Theory]
    [InlineData(new byte[] { 0x1f, 0x8b, 0x08, 0 }, KrunKernelFormat.ImageGzip)]
    [InlineData(new byte[] { 0x42, 0x5a, 0x68, 0x39 }, KrunKernelFormat.ImageBzip2)]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd }, KrunKernelFormat.ImageZstd)]
    public void A_bzImage_is_told_apart_by_its_compression(byte[] payload, object format)
    {
        var image = Header((0x202, "HdrS"));
        image[0x1f1] = 2;
        image[0x248] = 16;
        payload.CopyTo(image, (3 * 512) + 16);
        Format(false, image).ShouldBe(format);
    }

    [Fact]
    public void A_bzImage_of_another_compression_is_refused() => Refused(false, Header((0x202, "HdrS"))).ShouldBe("krun.kernel-format");

    [Fact]
    public void arm64_has_Images_and_their_gziped_EFI_form()
    {
        Format(true, (0x38, "ARM\x64")).ShouldBe(KrunKernelFormat.Raw);
        Format(true, (0, "MZ"), (4, "zimg"), (0x18, "gzip")).ShouldBe(KrunKernelFormat.PeGzip);
        Refused(true, Header((0, "\x7f\x45LF"))).ShouldBe("krun.kernel-format");
    }

    [Fact]
    public void A_kernel_that_is_not_there_is_told_as_such() =>
        Should.Throw<FaultException>(() => KrunKernel.FormatOf(_folder.File("none"), isArm: false)).Faults[0].Code.ShouldBe("krun.kernel-unreadable");

    private string Refused(bool isArm, byte[] image) => Should.Throw<FaultException>(() => Format(isArm, image)).Faults[0].Code;

    private KrunKernelFormat Format(bool isArm, params (int Offset, string Text)[] parts) => Format(isArm, Header(parts));

    private KrunKernelFormat Format(bool isArm, byte[] image)
    {
        File.WriteAllBytes(_folder.File("kernel"), image);
        return KrunKernel.FormatOf(_folder.File("kernel"), isArm);
    }

    private static byte[] Header(params (int Offset, string Text)[] parts)
    {
        var image = new byte[4096];
        foreach (var (offset, text) in parts)
            Encoding.Latin1.GetBytes(text).CopyTo(image, offset);
        return image;
    }
}

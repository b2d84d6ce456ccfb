using System.Buffers.Binary;
using System.IO.Compression;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class ArmKernelFileTests
{
    [Fact]
    public void An_image_is_taken_as_it_is() => ArmKernelFile.Extract(Image()).ShouldBe(Image());

    [Fact]
    public void One_through_gzip_is_unpacked() => ArmKernelFile.Extract(Gzip(Image())).ShouldBe(Image());

    [Fact]
    public void One_inside_of_a_program_for_UEFI_is_taken_out() => ArmKernelFile.Extract(Zboot(Gzip(Image()), "gzip")).ShouldBe(Image());

    [Fact]
    public void Other_compressions_are_left_to_the_loader() => ArmKernelFile.Extract(Zboot(Gzip(Image()), "zstd")).ShouldBeNull();

    [Fact]
    public void What_is_no_kernel_is_none()
    {
        ArmKernelFile.Extract([]).ShouldBeNull();
        ArmKernelFile.Extract(new byte[4096]).ShouldBeNull();
        ArmKernelFile.Extract(Gzip(new byte[4096])).ShouldBeNull();
        ArmKernelFile.Extract(Gzip(Image()).AsSpan(0, 40)).ShouldBeNull();
        ArmKernelFile.Extract(Zboot(Gzip(Image()), "gzip").AsSpan(0, 100)).ShouldBeNull();
    }

    // https://docs.kernel.org/arch/arm64/booting.html: the magic number at 0x38.
    private static byte[] Image()
    {
        var image = new byte[4096];
        new Random(1).NextBytes(image);
        "MZ"u8.CopyTo(image);
        "ARM\x64"u8.CopyTo(image.AsSpan(0x38));
        return image;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
            gzip.Write(content);
        return output.ToArray();
    }

    private static byte[] Zboot(byte[] payload, string compression)
    {
        var file = new byte[512 + payload.Length + 64];
        "MZ\0\0zimg"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8), 512);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), payload.Length);
        System.Text.Encoding.ASCII.GetBytes(compression).CopyTo(file, 24);
        payload.CopyTo(file, 512);
        return file;
    }
}

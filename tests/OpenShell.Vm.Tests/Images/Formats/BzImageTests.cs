using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class BzImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_kernel_comes_out_as_it_went_in()
    {
        // Text that repeats at all distances, runs of zeros, and noise, as in a kernel; several blocks of 8 MiB.
        var kernel = new byte[20 << 20];
        "\x7f\x45LF"u8.CopyTo(kernel);
        new Random(1).NextBytes(kernel.AsSpan(4, 3 << 20));
        for (var at = 4 << 20; at < kernel.Length - 100; at += 37 + (at % 61))
            BinaryPrimitives.WriteInt32LittleEndian(kernel.AsSpan(at), at / 1000);

        var extracted = BzImage.Extract(await PackAsync(kernel));

        Convert.ToHexString(SHA256.HashData(extracted.ShouldNotBeNull())).ShouldBe(Convert.ToHexString(SHA256.HashData(kernel)));
    }

    // Damage within literals cannot be seen here; that is what the package's hash is for.
    [Theory]
    [InlineData(4, int.MaxValue)]
    [InlineData(4, 1000)]
    public async Task A_damaged_frame_is_refused(int at, int value)
    {
        var kernel = new byte[100_000];
        "\x7f\x45LF"u8.CopyTo(kernel);
        RandomNumberGenerator.Fill(kernel.AsSpan(4, 50_000));
        var image = await PackAsync(kernel);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(1124 + at), value);
        Should.Throw<InvalidDataException>(() => BzImage.Extract(image));
    }

    [Fact]
    public void What_is_no_such_image_is_left_as_it_is()
    {
        BzImage.Extract("#!/bin/sh"u8).ShouldBeNull();
        BzImage.Extract(new byte[4096]).ShouldBeNull();
    }

    // A compressed image as the kernel's build makes it: set-up sectors, LZ4 by the real tool, the size behind it.
    private async Task<byte[]> PackAsync(byte[] kernel)
    {
        await File.WriteAllBytesAsync(_folder.File("vmlinux"), kernel, TestContext.Current.CancellationToken);
        await HostTool.RunAsync("lz4", ["-q", "-f", "-l", _folder.File("vmlinux"), _folder.File("vmlinux.lz4")]);
        var payload = await File.ReadAllBytesAsync(_folder.File("vmlinux.lz4"), TestContext.Current.CancellationToken);
        var image = new byte[1024 + 100 + payload.Length + 4 + 50];
        image[0x1f1] = 1;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x20f);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x248), 100);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x24c), payload.Length + 4);
        payload.CopyTo(image, 1124);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(1124 + payload.Length), kernel.Length);
        return image;
    }
}

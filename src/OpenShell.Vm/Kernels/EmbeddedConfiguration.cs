using System.IO.Compression;
using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>What a kernel's image tells about itself: its banner, and its configuration if it was built with CONFIG_IKCONFIG.</summary>
public static class EmbeddedConfiguration
{
    // kernel/configs.c: the gzipped configuration stands between these two.
    private static ReadOnlySpan<byte> Begin => "IKCFG_ST"u8;

    private static ReadOnlySpan<byte> End => "IKCFG_ED"u8;

    // init/version.c: linux_banner.
    private static ReadOnlySpan<byte> Banner => "Linux version "u8;

    /// <summary>The configuration; <see langword="null"/> if the image holds none.</summary>
    public static KernelConfiguration? Find(ReadOnlySpan<byte> image)
    {
        if (image.IndexOf(Begin) is not (>= 0 and var begin))
            return null;
        var packed = image[(begin + Begin.Length)..];
        if (packed.IndexOf(End) is not (>= 0 and var length))
            return null;
        using var gzip = new GZipStream(new MemoryStream(packed[..length].ToArray()), CompressionMode.Decompress);
        using var text = new StreamReader(gzip, Encoding.UTF8);
        return KernelConfiguration.Parse(text.ReadToEnd());
    }

    /// <summary>The kernel's release, such as <c>6.12.91</c>; <see langword="null"/> if the image holds no banner.</summary>
    public static string? Release(ReadOnlySpan<byte> image)
    {
        // The words also occur in format strings, followed by a percent sign.
        for (var rest = image; rest.IndexOf(Banner) is >= 0 and var at; rest = rest[(at + Banner.Length)..])
        {
            var text = rest[(at + Banner.Length)..];
            if (text.Length > 0 && char.IsAsciiDigit((char)text[0]) && text.IndexOf((byte)' ') is > 0 and < 100 and var end)
                return Encoding.ASCII.GetString(text[..end]);
        }

        return null;
    }
}

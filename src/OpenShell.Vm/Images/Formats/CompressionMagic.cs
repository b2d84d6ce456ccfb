namespace OpenShell.Vm.Images.Formats;

/// <summary>What compressed data begin with.</summary>
internal static class CompressionMagic
{
    /// <summary>gzip (RFC 1952, 2.3.1).</summary>
    internal static bool IsGzip(ReadOnlySpan<byte> data) => data.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]);

    /// <summary>Zstandard (RFC 8878, 3.1.1).</summary>
    internal static bool IsZstandard(ReadOnlySpan<byte> data) => data.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]);
}

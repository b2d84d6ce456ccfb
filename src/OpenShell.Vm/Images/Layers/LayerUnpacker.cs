using System.IO.Compression;
using System.Security.Cryptography;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Images.Layers;

/// <summary>Decompresses a layer, and compares it with the hash that the image's configuration has of it.</summary>
internal static class LayerUnpacker
{
    /// <summary>Writes the layer's tar to a file; returns its size. What it is compressed with, its first bytes tell.</summary>
    /// <param name="image">The image, for messages.</param>
    /// <param name="layer">The layer as it is kept.</param>
    /// <param name="diffId">What its tar must be: <c>sha256:...</c>.</param>
    /// <param name="path">The file.</param>
    /// <param name="limit">How large it may be.</param>
    /// <param name="tools">Runs what .NET does not have.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<long> UnpackAsync(string image, Stream layer, string diffId, string path, long limit, Tools tools, CancellationToken cancellationToken)
    {
        var first = new byte[4];
        var length = await layer.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        layer.Position = 0;
        await using var file = File.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = 0L;
        try
        {
            if (CompressionMagic.IsZstandard(first.AsSpan(0, length)))
                await ZstandardAsync().ConfigureAwait(false);
            else if (CompressionMagic.IsGzip(first.AsSpan(0, length)))
                await CopyAsync(new GZipStream(layer, CompressionMode.Decompress, leaveOpen: true), cancellationToken).ConfigureAwait(false);
            else
                await CopyAsync(layer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or ToolFailedException)
        {
            throw RegistryFaults.Malformed(image, $"a layer cannot be decompressed ({e.Message.TrimEnd('.')})", e);
        }

        var got = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
        return got == diffId ? size : throw RegistryFaults.Digest(image, "An unpacked layer", diffId, got);

        async Task CopyAsync(Stream tar, CancellationToken token)
        {
            var buffer = new byte[1 << 17];
            while (await tar.ReadAsync(buffer, token).ConfigureAwait(false) is > 0 and var read)
            {
                if ((size += read) > limit)
                    throw RegistryFaults.TooLarge(image, $"its layers have more than {RegistryLimits.Unpacked} bytes when they are unpacked");
                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), token).ConfigureAwait(false);
            }
        }

        // .NET 10 has no zstd.
        Task ZstandardAsync() => RuntimeTools.FindProgram("zstd") is null
            ? throw ImageFaults.Make(
                "image.zstd-missing",
                $"A layer of {image} is compressed with zstd, and this host has no program zstd.",
                "Install it (package zstd in Debian, Fedora and Homebrew), or push the image with gzip: 'skopeo copy --dest-compress-format gzip', 'docker buildx build --output type=image,compression=gzip,force-compression=true'.")
            : tools.RunAsync(
                new ToolCommand { Program = "zstd", Arguments = ["--decompress", "--stdout", "--quiet", "--no-progress"] },
                (stdin, token) => layer.CopyToAsync(stdin, token),
                CopyAsync,
                cancellationToken);
    }
}

using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>Writes a bundle: beside its place first, so that a file of its name is always a whole one. Equal contents make equal bytes.</summary>
internal static class BundleWriter
{
    private const int BufferSize = 1 << 20;

    /// <summary>Writes it.</summary>
    /// <returns>The digest (<see cref="BundleFile.Digest"/>).</returns>
    public static async Task<string> WriteAsync(string path, BundleManifest manifest, IReadOnlyList<BundleSource> sources, StepReporter step, CancellationToken cancellationToken)
    {
        CheckPaths(sources);
        var text = ManifestText(manifest);
        var digest = Convert.ToHexStringLower(SHA256.HashData(text));
        var folder = Path.GetDirectoryName(path)!;
        var total = sources.Sum(s => BundleHeader.Block + BundleHeader.Padded(s.Part.Size)) + BundleHeader.Padded(text.Length) + (4 * BundleHeader.Block) + BundleHeader.End;
        if (HostFiles.FreeBytes(folder) is var free && free < total)
        {
            throw new FaultException(BundleFaults.Make(
                "no-space", $"{folder} has {free >> 20} MiB free; the bundle needs {(total >> 20) + 1} MiB.", "Free some space there, or write the bundle to a larger disk."));
        }

        var aside = path + ".part";
        try
        {
            await using (var output = new FileStream(aside, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, PreallocationSize = total }))
            {
                await EntryAsync(output, BundleSource.Of(BundleNames.Manifest, BundleNames.Manifest, text), null, cancellationToken).ConfigureAwait(false);
                await EntryAsync(output, BundleSource.Of(BundleNames.ManifestSum, BundleNames.ManifestSum, BundleVerifier.SumOf(digest)), null, cancellationToken).ConfigureAwait(false);
                var done = 0L;
                foreach (var source in sources)
                    await EntryAsync(output, source, read => step.Running(source.Part.Name, (double)(done += read) / total, done), cancellationToken).ConfigureAwait(false);
                await output.WriteAsync(new byte[BundleHeader.End], cancellationToken).ConfigureAwait(false);
                output.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
            HostFiles.SyncFolder(folder);
            return digest;
        }
        finally
        {
            File.Delete(aside); // gone, if all went well
        }
    }

    // Never a multiple of a block: where its zeros begin, the text ends, even when its header is damaged.
    private static byte[] ManifestText(BundleManifest manifest)
    {
        var text = BundleJson.Bytes(manifest);
        return text.Length % BundleHeader.Block == 0 ? [.. text, (byte)'\n'] : text;
    }

    private static void CheckPaths(IReadOnlyList<BundleSource> sources)
    {
        if (sources.FirstOrDefault(s => System.Text.Encoding.UTF8.GetByteCount(s.Part.Path) > BundleNames.LongestPath) is { } tooLong)
            throw new InvalidOperationException($"{tooLong.Part.Path} is too long for a bundle");
        if (sources.FirstOrDefault(s => s.Part.Size > BundleHeader.LargestSize) is { } tooLarge)
        {
            throw new FaultException(BundleFaults.Make(
                "part-too-large", $"{tooLarge.File} has {tooLarge.Part.Size >> 30} GiB, and a part of a bundle at most 8 GiB.", "Save the images as several archives, and give each with --images."));
        }
    }

    private static async Task EntryAsync(FileStream output, BundleSource source, Action<int>? onBytes, CancellationToken cancellationToken)
    {
        await output.WriteAsync(BundleHeader.Bytes(source.Part.Path, source.Part.Size, source.Part.Executable), cancellationToken).ConfigureAwait(false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (buffer, written) = (new byte[(int)Math.Min(BufferSize, source.Part.Size + 1)], 0L);
        await using (var content = source.Open())
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0 && (written += read) <= source.Part.Size)
            {
                hash.AppendData(buffer, 0, read);
                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                onBytes?.Invoke(read);
            }
        }

        if (written != source.Part.Size || Convert.ToHexStringLower(hash.GetHashAndReset()) != source.Part.Sha256)
            throw Changed(source);
        await output.WriteAsync(new byte[BundleHeader.Padded(written) - written], cancellationToken).ConfigureAwait(false);
    }

    private static FaultException Changed(BundleSource source) => new(source.Part.Artifact is not null && !source.Part.Path.StartsWith(BundleNames.Workload, StringComparison.Ordinal)
        ? ImageFaults.Corrupt(source.File!, "its SHA-256 is another", setAside: null)
        : BundleFaults.Make("source-changed", $"{source.File} changed while it was written into the bundle.", "Run the same again."));
}

using System.Globalization;
using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;

namespace OpenShell.Vm.Bundles;

/// <summary>Compares every byte of a bundle with its manifest, and the manifest with its sum.</summary>
public static class BundleVerifier
{
    private const int BufferSize = 1 << 20;

    /// <summary>Reads the file once, and tells everything that is wrong with it.</summary>
    /// <param name="bundle">Opened.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<BundleReport> VerifyAsync(BundleFile bundle, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var step = new StepReporter("verify", "Verifying the bundle", progress);
        step.State(BuildState.Started);
        var layout = BundleLayout.Read(bundle);
        var faults = new List<Fault>(layout.Faults);
        CheckPadding(bundle, BundleNames.Manifest, BundleHeader.Block, bundle.ManifestSize, faults);
        CheckSum(bundle, layout, faults);

        var intact = new List<BundlePart>();
        var (total, done) = (Math.Max(1, bundle.Manifest.Parts.Sum(p => p.Size)), 0L);
        foreach (var part in bundle.Manifest.Parts)
        {
            if (!layout.Contents.TryGetValue(part.Path, out var at))
                continue;
            var before = faults.Count;
            var hash = await HashAsync(bundle, at, part.Size, read => step.Running(part.Name, (double)(done += read) / total, done), cancellationToken).ConfigureAwait(false);
            if (hash != part.Sha256)
                faults.Add(BundleFaults.Damaged($"{part.Path} ({part.Name}) is damaged: its SHA-256 is {hash} instead of {part.Sha256}."));
            CheckPadding(bundle, part.Path, at, part.Size, faults);
            if (faults.Count == before && !layout.Faults.Any(f => f.What.Contains(part.Path + " ", StringComparison.Ordinal)))
                intact.Add(part);
        }

        step.State(faults.Count == 0 ? BuildState.Completed : BuildState.Failed, bytes: done);
        return new BundleReport(bundle.Digest, bundle.Manifest, intact, faults, bundle.Stream.Length);
    }

    /// <summary>The content of one part, whole and with its hash compared: for small ones.</summary>
    /// <exception cref="FaultException"><c>bundle.damaged</c>, or there is no such part.</exception>
    internal static byte[] ReadPart(BundleFile bundle, string path)
    {
        var part = bundle.Manifest.Parts.FirstOrDefault(p => p.Path == path) ?? throw new FaultException(BundleFaults.Damaged($"{path} is missing."));
        var content = new byte[part.Size];
        if (!BundleLayout.Read(bundle).Contents.TryGetValue(path, out var at) || bundle.Read(at, content) < content.Length)
            throw new FaultException(BundleFaults.Damaged($"{path} is missing, or cut off."));
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        return hash == part.Sha256 ? content : throw new FaultException(BundleFaults.Damaged($"{path} is damaged: its SHA-256 is {hash} instead of {part.Sha256}."));
    }

    /// <summary>Passes a part's bytes on, in order.</summary>
    internal static async Task CopyAsync(BundleFile bundle, long at, long size, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        var buffer = new byte[(int)Math.Min(BufferSize, Math.Max(1, size))];
        for (var done = 0L; done < size;)
        {
            var read = await RandomAccess.ReadAsync(bundle.Stream.SafeFileHandle, buffer.AsMemory(0, (int)Math.Min(buffer.Length, size - done)), at + done, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException($"{bundle.Path} became shorter while it was read.");
            await take(buffer.AsMemory(0, read)).ConfigureAwait(false);
            done += read;
        }
    }

    private static async Task<string> HashAsync(BundleFile bundle, long at, long size, Action<long> onBytes, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await CopyAsync(
            bundle,
            at,
            size,
            bytes =>
            {
                hash.AppendData(bytes.Span);
                onBytes(bytes.Length);
                return ValueTask.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The manifest has the hash of everything but itself.
    private static void CheckSum(BundleFile bundle, BundleLayout layout, List<Fault> faults)
    {
        if (!layout.Contents.TryGetValue(BundleNames.ManifestSum, out var at))
            return;
        var found = new byte[BundleLayout.SumSize];
        bundle.Read(at, found);
        if (!found.AsSpan().SequenceEqual(SumOf(bundle.Digest)))
            faults.Add(BundleFaults.Damaged($"{BundleNames.Manifest} or {BundleNames.ManifestSum} is damaged: the SHA-256 of the first is {bundle.Digest}, and the second says '{Text(found)}'."));
        CheckPadding(bundle, BundleNames.ManifestSum, at, found.Length, faults);
    }

    private static void CheckPadding(BundleFile bundle, string path, long at, long size, List<Fault> faults)
    {
        var padding = new byte[(int)(BundleHeader.Padded(size) - size)];
        var read = bundle.Read(at + size, padding);
        if (padding.AsSpan(0, read).IndexOfAnyExcept((byte)0) is var other and >= 0)
            faults.Add(BundleFaults.Damaged(string.Create(CultureInfo.InvariantCulture, $"{path} is damaged: byte {at + size + other}, behind its content, is {padding[other]} instead of 0.")));
    }

    /// <summary>What <see cref="BundleNames.ManifestSum"/> holds.</summary>
    internal static byte[] SumOf(string digest) => System.Text.Encoding.ASCII.GetBytes($"{digest}  {BundleNames.Manifest}\n");

    private static string Text(byte[] bytes) => new([.. bytes.Select(b => b is >= 0x20 and < 0x7f ? (char)b : '?')]);
}

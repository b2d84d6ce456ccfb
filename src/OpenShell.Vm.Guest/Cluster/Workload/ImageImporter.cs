using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// Brings the image's archives into containerd, each once per content, and once more when what came of it is not there any more: where the disk is full, the kubelet deletes images that no
/// container uses at that moment. They are in the namespace in which Kubernetes looks.
/// </summary>
/// <param name="tool">Runs <c>ctr</c>.</param>
/// <param name="ctr">Its path.</param>
/// <param name="images">Where the image's archives are.</param>
/// <param name="markers">Where it is remembered what was imported.</param>
internal sealed class ImageImporter(Tool tool, string ctr = "/usr/bin/ctr", string images = GuestPaths.Images, string markers = StateLayout.Markers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>A name is at most some 300 characters; nobody keeps so many images on one node that theirs are more (the kubelet tells the API server of 50).</summary>
    private const int Listing = 1 << 20;

    /// <summary>Of what it says when it fails, the sentence that matters comes last.</summary>
    private const int Told = 600;

    /// <summary>Imports what is new.</summary>
    /// <returns>How many were imported, and how many there are.</returns>
    /// <exception cref="GuestFaultException">One cannot be imported.</exception>
    public async Task<(int Imported, int All)> ImportAsync()
    {
        var archives = Directory.Exists(images) ? Directory.GetFiles(images, "*.tar") : [];
        Array.Sort(archives, StringComparer.Ordinal);
        (string Archive, Marker Marker, string Hash)[] all = [.. archives.Select(archive => (archive, new Marker("image-" + Path.GetFileName(archive), markers), ImageArchive.Identity(archive)))];
        var there = await ThereAsync(all.Any(one => one.Marker.Is(one.Hash))).ConfigureAwait(false);
        var imported = 0;
        foreach (var (archive, marker, hash) in all.Where(one => !IsThere(one.Marker, one.Hash, there)))
        {
            marker.Set(hash, await ImportAsync(archive, "Rebuild the root image; check the free space on the state disk.").ConfigureAwait(false));
            imported++;
        }

        return (imported, archives.Length);
    }

    /// <summary>Imports what was given along and is new; each archive is on the state disk only while it is imported.</summary>
    /// <returns>How many were imported, and how many there are.</returns>
    /// <exception cref="GuestFaultException">One cannot be imported.</exception>
    public async Task<(int Imported, int All)> ImportAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var there = await ThereAsync(delivery.Index.Images.Any(file => MarkerOf(file).Is(file.Sha256))).ConfigureAwait(false);
        var imported = 0;
        await delivery.ReadImagesAsync(
            file =>
            {
                if (IsThere(MarkerOf(file), file.Sha256, there))
                    return null;
                Mounter.MakeFolders(StateLayout.Incoming);
                return Path.Combine(StateLayout.Incoming, file.Name);
            },
            async (file, path) =>
            {
                try
                {
                    MarkerOf(file).Set(file.Sha256, await ImportAsync(path, "Check that the archive is whole and the state disk has room for it.").ConfigureAwait(false));
                }
                finally
                {
                    File.Delete(path);
                }

                imported++;
            },
            cancellationToken).ConfigureAwait(false);
        return (imported, delivery.Index.Images.Count);
    }

    private Marker MarkerOf(DeliveredFile file) => new("delivered-" + file.Sha256[..32], markers);

    /// <summary>Whether it was imported, and all that came of it is still there, as far as that is known.</summary>
    private static bool IsThere(Marker marker, string hash, HashSet<string>? there) => marker.Is(hash) && (there is null || marker.Made.All(there.Contains));

    /// <summary>The names that containerd knows. On a first start nothing of ours is among them, and nobody asks.</summary>
    /// <returns><see langword="null"/>: not known; what was imported is taken to be there.</returns>
    private async Task<HashSet<string>?> ThereAsync(bool wanted)
    {
        if (!wanted)
            return null;
        var result = await CtrAsync("images", "list", "--quiet").ConfigureAwait(false);
        return result.IsSuccess ? [.. result.Output.Split('\n')] : null;
    }

    /// <returns>The names of the images that were in it.</returns>
    private async Task<IReadOnlyList<string>> ImportAsync(string archive, string remedy)
    {
        var result = await CtrAsync("images", "import", archive).ConfigureAwait(false);
        return result.IsSuccess
            ? NamesIn(result.Output)
            : throw new GuestFaultException("guest.image-import", $"the archive {archive} could not be imported: {result with { Output = result.Output[^Math.Min(result.Output.Length, Told)..] }}.", remedy);
    }

    /// <summary>ctr says <c>unpacking NAME (DIGEST)...done</c> of each (https://github.com/containerd/containerd/blob/v1.6.20/cmd/ctr/commands/images/import.go).</summary>
    internal static IReadOnlyList<string> NamesIn(string said) =>
        [.. said.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["unpacking", _, ['(', ..], ..]).Select(words => words[1]).Distinct()];

    private Task<ToolResult> CtrAsync(params string[] arguments) =>
        tool.RunAsync("ctr", Patience, Listing, [ctr, "--address", ClusterLayout.ContainerdSocket, "--namespace", "k8s.io", .. arguments]);
}

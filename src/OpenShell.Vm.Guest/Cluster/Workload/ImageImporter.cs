using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Brings the image's archives into containerd, each once per content. They are in the namespace in which Kubernetes looks.</summary>
internal sealed class ImageImporter(Tool tool)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Imports what is new.</summary>
    /// <returns>How many were imported, and how many there are.</returns>
    /// <exception cref="GuestFaultException">One cannot be imported.</exception>
    public async Task<(int Imported, int All)> ImportAsync()
    {
        var archives = Directory.Exists(GuestPaths.Images) ? Directory.GetFiles(GuestPaths.Images, "*.tar") : [];
        Array.Sort(archives, StringComparer.Ordinal);
        var imported = 0;
        foreach (var archive in archives)
        {
            var marker = new Marker("image-" + Path.GetFileName(archive));
            var hash = ImageArchive.Identity(archive);
            if (marker.Is(hash))
                continue;
            await ImportAsync(archive, "Rebuild the root image; check the free space on the state disk.").ConfigureAwait(false);
            marker.Set(hash);
            imported++;
        }

        return (imported, archives.Length);
    }

    /// <summary>Imports what was given along and is new; each archive is on the state disk only while it is imported.</summary>
    /// <returns>How many were imported, and how many there are.</returns>
    /// <exception cref="GuestFaultException">One cannot be imported.</exception>
    public async Task<(int Imported, int All)> ImportAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var imported = 0;
        await delivery.ReadImagesAsync(
            file =>
            {
                if (MarkerOf(file).Is(file.Sha256))
                    return null;
                Mounter.MakeFolders(StateLayout.Incoming);
                return Path.Combine(StateLayout.Incoming, file.Name);
            },
            async (file, path) =>
            {
                try
                {
                    await ImportAsync(path, "Check that the archive is whole and the state disk has room for it.").ConfigureAwait(false);
                }
                finally
                {
                    File.Delete(path);
                }

                MarkerOf(file).Set(file.Sha256);
                imported++;
            },
            cancellationToken).ConfigureAwait(false);
        return (imported, delivery.Index.Images.Count);
    }

    private static Marker MarkerOf(DeliveredFile file) => new("delivered-" + file.Sha256[..32]);

    private async Task ImportAsync(string archive, string remedy)
    {
        var result = await tool.RunAsync(
            "ctr", Patience, "/usr/bin/ctr", "--address", ClusterLayout.ContainerdSocket, "--namespace", "k8s.io", "images", "import", archive).ConfigureAwait(false);
        if (!result.IsSuccess)
            throw new GuestFaultException("guest.image-import", $"the archive {archive} could not be imported: {result}.", remedy);
    }
}

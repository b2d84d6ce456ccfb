using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;

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
            var result = await tool.RunAsync(
                "ctr", Patience, "/usr/bin/ctr", "--address", ClusterLayout.ContainerdSocket, "--namespace", "k8s.io", "images", "import", archive).ConfigureAwait(false);
            if (!result.IsSuccess)
                throw new GuestFaultException("guest.image-import", $"the archive {archive} could not be imported: {result}.", "Rebuild the root image; check the free space on the state disk.");
            marker.Set(hash);
            imported++;
        }

        return (imported, archives.Length);
    }
}

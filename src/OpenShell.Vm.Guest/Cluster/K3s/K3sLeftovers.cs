using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>
/// What a boot leaves behind that the next one would trip over: the state disk remembers containers, addresses and sockets of processes that are gone.
/// Images, content, snapshots and meta.db, which names them, stay.
/// </summary>
internal sealed class K3sLeftovers(K3sLayout layout, string sysfs = "/sys")
{
    /// <summary>Names of network interfaces of pods that are gone.</summary>
    public IReadOnlyList<string> StaleLinks()
    {
        var folder = sysfs + "/class/net";
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFileSystemEntries(folder).Select(f => Path.GetFileName(f)!).Where(n => n == "cni0" || n.StartsWith("veth", StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>Removes all of it.</summary>
    public async Task RemoveAsync(Tool tool)
    {
        RemoveFiles();
        foreach (var link in StaleLinks())
            await tool.RunAsync("ip", TimeSpan.FromSeconds(30), "/sbin/ip", "link", "delete", link).ConfigureAwait(false);
    }

    /// <summary>Removes what is in files.</summary>
    public void RemoveFiles()
    {
        // Namespaces are mounts of files: unmounted first, or the file stays busy.
        foreach (var file in FilesIn(layout.Of("/run/netns")))
        {
            _ = Linux.Unmount(file, Linux.MntDetach);
            File.Delete(file);
        }

        // containerd: tasks and sandboxes are processes of the last boot, and would bring their network namespaces back; an ingest is half a download.
        DeleteFolder(layout.Containerd + "/io.containerd.runtime.v2.task");
        DeleteFolder(layout.Containerd + "/io.containerd.sandbox.controller.v1.shim");
        foreach (var ingest in FoldersIn(layout.Containerd + "/io.containerd.content.v1.content/ingest"))
            DeleteFolder(ingest);
        DeleteFolder(layout.Of("/run/k3s"));

        // The addresses that the plugin host-local gave, and libcni's cache of results.
        foreach (var folder in (string[])["/var/lib/cni/networks", "/var/lib/cni/results", "/run/cni"])
            DeleteFolder(layout.Of(folder));
        DeleteFile(layout.Agent + "/etc/cni/net.d/10-flannel.conflist");

        // Images' layers are below containerd's folder, and may hold files of that name.
        foreach (var socket in SocketsBelow(layout.Server).Concat(SocketsBelow(layout.Agent)))
            File.Delete(socket);
        DeleteFile(layout.NodePasswords);
        DeleteFolder(layout.Server + "/tls/temporary-certs");

        // Written anew: that it is there tells that k3s has its credentials.
        DeleteFile(layout.Kubeconfig);
    }

    private IEnumerable<string> SocketsBelow(string folder) =>
        folder == layout.Containerd ? [] : FilesIn(folder).Where(f => f.EndsWith(".sock", StringComparison.Ordinal)).Concat(FoldersIn(folder).SelectMany(SocketsBelow)).ToArray();

    private static string[] FilesIn(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder) : [];

    private static string[] FoldersIn(string folder) =>
        Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Where(f => new DirectoryInfo(f).LinkTarget is null)] : [];

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    // File.Delete bears a missing file, not a missing folder.
    private static void DeleteFile(string file)
    {
        if (File.Exists(file))
            File.Delete(file);
    }
}

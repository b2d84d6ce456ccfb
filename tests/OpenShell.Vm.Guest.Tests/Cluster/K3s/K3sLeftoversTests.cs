using System.Net.Sockets;
using OpenShell.Vm.Guest.Cluster.K3s;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

public sealed class K3sLeftoversTests : IDisposable
{
    private const string Containerd = "var/lib/rancher/k3s/agent/containerd";

    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void What_belonged_to_processes_goes_and_what_is_costly_to_bring_back_stays()
    {
        string[] stale =
        [
            Containerd + "/io.containerd.runtime.v2.task/k8s.io/abc/init.pid",
            Containerd + "/io.containerd.sandbox.controller.v1.shim/abc/state",
            Containerd + "/io.containerd.content.v1.content/ingest/abc/data",
            "var/lib/cni/networks/openshell/10.42.0.2",
            "var/lib/cni/results/abc",
            "run/cni/openshell/last_reserved_ip.0",
            "run/k3s/containerd/state",
            "run/netns/cni-1234",
            "var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist",
            "var/lib/rancher/k3s/server/cred/node-passwd",
            "var/lib/rancher/k3s/server/tls/temporary-certs/a.crt",
            "etc/rancher/k3s/k3s.yaml",
        ];
        string[] kept =
        [
            Containerd + "/io.containerd.content.v1.content/blobs/sha256/abc",
            Containerd + "/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/run/app.sock",
            Containerd + "/io.containerd.snapshotter.v1.overlayfs/metadata.db",
            Containerd + "/io.containerd.metadata.v1.bolt/meta.db",
            "var/lib/rancher/k3s/server/db/state.db",
            "var/lib/rancher/k3s/server/tls/server-ca.crt",
            "var/lib/rancher/k3s/server/token",
            "var/lib/rancher/k3s/server/cred/passwd",
            "etc/rancher/node/password",
        ];
        foreach (var file in stale.Concat(kept))
            Put(file);

        Leftovers().RemoveFiles();

        stale.Where(f => File.Exists(_root.File(f))).ShouldBeEmpty();
        kept.Where(f => !File.Exists(_root.File(f))).ShouldBeEmpty();
        // The folder itself is containerd's to find.
        Directory.Exists(_root.File(Containerd + "/io.containerd.content.v1.content/ingest")).ShouldBeTrue();
    }

    [Fact]
    public void Sockets_of_programs_that_are_gone_go_too()
    {
        var socket = _root.File("var/lib/rancher/k3s/server/kine.sock");
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!);
        using (var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // .NET removes the file of a socket that it bound; a process that was killed does not.
            listener.Bind(new UnixDomainSocketEndPoint(socket + "-bound"));
            File.Move(socket + "-bound", socket);
        }

        Leftovers().RemoveFiles();

        File.Exists(socket).ShouldBeFalse();
    }

    [Fact]
    public void A_first_boot_has_nothing_to_remove()
    {
        Leftovers().RemoveFiles();

        Directory.GetFileSystemEntries(_root.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Stale_links_are_the_bridge_and_its_pods_ends()
    {
        foreach (var name in (string[])["lo", "eth0", "cni0", "veth12ab", "veth0"])
            Directory.CreateDirectory(_root.File("sys/class/net/" + name));

        new K3sLeftovers(new K3sLayout(_root.Path), _root.File("sys")).StaleLinks().ShouldBe(["cni0", "veth0", "veth12ab"]);
    }

    private K3sLeftovers Leftovers() => new(new K3sLayout(_root.Path), _root.File("sys"));

    private void Put(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.File(file))!);
        File.WriteAllText(_root.File(file), file);
    }
}

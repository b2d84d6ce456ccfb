using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>The guest's own descriptions of upstream's components, with k3s's paths in place of theirs.</summary>
internal sealed class Components(ServerOptions options, Layout layout, string programs)
{
    private const string EtcdFolder = Layout.Run + "/etcd";

    private IReadOnlyList<(string From, string To)> Moves =>
    [
        (StateLayout.Pki, layout.Tls),
        (ClusterLayout.Programs + "/", programs + "/"),
        ("/usr/bin/etcd", programs + "/etcd"),
        ("/usr/sbin/dnsmasq", programs + "/dnsmasq"),
        ("/usr/bin/containerd", programs + "/containerd"),
        (ClusterLayout.Kubeconfigs + "/", layout.Credentials + "/"),
        (ClusterLayout.Configuration + "/", layout.AgentConfiguration + "/"),
        (ClusterLayout.EtcdFolder, EtcdFolder),
        (ClusterLayout.ContainerdSocket, Layout.ContainerdSocket),
        ("/var/lib/etcd/data", layout.Etcd),
        ("\"/var/lib/containerd\"", $"\"{layout.Containerd}\""),
        ("\"/run/containerd\"", $"\"{Layout.Run}/containerd\""),
        ("/usr/lib/cni", Layout.CniPrograms),
        ("localhost/pause:1", options.PauseImage),
        ("SystemdCgroup = false", $"SystemdCgroup = false\n        BinaryName = \"{programs}/runc\""),
    ];

    private ClusterNode Node => new(options.NodeName, options.NodeAddress);

    /// <summary>All of them.</summary>
    public IReadOnlyList<Service> Services() =>
    [
        Moved(ContainerdService.Describe()) with
        {
            // runc's, which is not on a host of k3s's.
            Environment = [$"LD_LIBRARY_PATH={programs}/aux"],
            Health = new HealthCheck.UnixSocket(Layout.ContainerdSocket),
            // Shims stay, as under k3s.
            LeavesProcesses = true,
        },
        Moved(EtcdService.Describe()) with { WorkingDirectory = EtcdFolder, Health = new HealthCheck.UnixHttp(EtcdFolder + "/localhost:2379", "/health") },
        Moved(ApiServerService.Describe(Node), options.ApiServerArguments),
        Moved(ControllerManagerService.Describe()),
        Moved(SchedulerService.Describe()),
        // k3s imports images before it starts the kubelet.
        Moved(KubeletService.Describe(Node), options.KubeletArguments) is var kubelet ? kubelet with { Conditions = [.. kubelet.Conditions, new Condition.Done(Milestone.Images)] } : null!,
        Moved(ProxyService.Describe(Node), ProxyArguments()),
        .. options.Has("coredns") ? (Service[])[Moved(DnsService.Describe(Addons.DnsPlace)), Moved(DnsService.DescribeRecords(Addons.DnsPlace))] : [],
    ];

    /// <summary>Writes the configurations that need no certificate.</summary>
    public void WriteConfiguration()
    {
        Directory.CreateDirectory(layout.AgentConfiguration);
        Directory.CreateDirectory(EtcdFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Move(ContainerdService.ConfigurationFile), Move(ContainerdService.Configuration));
        File.WriteAllText(Move(KubeletService.ConfigurationFile), Move(KubeletService.Configuration));
    }

    /// <summary>Writes every component's identity.</summary>
    public void WriteKubeconfigs(IReadOnlyDictionary<string, KeyPair> certificates)
    {
        foreach (var name in (string[])[ClusterCertificates.Admin, ClusterCertificates.ControllerManager, ClusterCertificates.Scheduler, ClusterCertificates.KubeletClient, ClusterCertificates.Proxy])
        {
            OwnerFile.Write(
                Move(ClusterLayout.KubeconfigOf(name)),
                Kubeconfig.Text("default", ClusterLayout.ApiServer, certificates[ClusterCertificates.ClusterCa].CertificatePem, certificates[name]));
        }
    }

    private IReadOnlyList<string> ProxyArguments()
    {
        if (options.ProxyArguments.Contains("--proxy-mode=nftables"))
            Console.WriteLine("the stand-in's kube-proxy 1.20 has no nftables mode: it runs with iptables");
        return [.. options.ProxyArguments.Where(a => a != "--proxy-mode=nftables")];
    }

    private Service Moved(Service service, IReadOnlyList<string>? further = null) => service with { Command = [.. service.Command.Select(Move), .. further ?? []], Sockets = [.. service.Sockets.Select(Move)] };

    private string Move(string text) => Moves.Aggregate(text, (t, move) => t.Replace(move.From, move.To, StringComparison.Ordinal));
}

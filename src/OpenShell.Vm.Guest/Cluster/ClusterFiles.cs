using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>The files that the components read, written anew at every boot from what is built in here.</summary>
internal static class ClusterFiles
{
    /// <summary>Those that need no certificate.</summary>
    public static void WriteConfiguration(Delivery delivery)
    {
        WriteNetworkConfiguration();
        Directory.CreateDirectory(ClusterLayout.EtcdFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        OwnerFile.Write(ContainerdService.ConfigurationFile, ContainerdService.Configuration + RegistryHosts.Configuration(delivery.Index));
        File.WriteAllText(KubeletService.ConfigurationFile, KubeletService.Configuration);
    }

    /// <summary>What every distribution's network is told, and the folder of what PID 1 writes for components.</summary>
    public static void WriteNetworkConfiguration()
    {
        foreach (var folder in (string[])[ClusterLayout.Configuration, Path.GetDirectoryName(CniConfiguration.File)!, Path.GetDirectoryName(DhcpService.Hook)!])
            Mounter.MakeFolders(folder);
        File.WriteAllText(CniConfiguration.File, CniConfiguration.Text);
        File.CreateSymbolicLink(DhcpService.Hook, GuestPaths.Init);
    }

    /// <summary>Every component's identity, and the administrator's.</summary>
    public static void WriteKubeconfigs(IReadOnlyDictionary<string, KeyPair> certificates)
    {
        var authority = certificates[ClusterCertificates.ClusterCa].CertificatePem;
        foreach (var name in (string[])[
            ClusterCertificates.Admin, ClusterCertificates.ControllerManager, ClusterCertificates.Scheduler, ClusterCertificates.KubeletClient, ClusterCertificates.Proxy])
        {
            OwnerFile.Write(ClusterLayout.KubeconfigOf(name), Kubeconfig.Text("openshell", ClusterLayout.ApiServer, authority, certificates[name]));
        }
    }
}

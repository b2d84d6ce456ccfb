using System.Security.Cryptography;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>What the guest's PID 1 writes before it starts Kubernetes, below a folder that becomes the root of its programs.</summary>
internal static class HostClusterFiles
{
    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly string[] Components =
        [ClusterCertificates.Admin, ClusterCertificates.ControllerManager, ClusterCertificates.Scheduler, ClusterCertificates.KubeletClient, ClusterCertificates.Proxy];

    /// <summary>Writes it.</summary>
    /// <returns>The certificates, made anew.</returns>
    public static IReadOnlyDictionary<string, KeyPair> Write(string root, ClusterNode node)
    {
        void Put(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(root + path)!, Folder);
            File.WriteAllText(root + path, text);
        }

        var certificates = CertificateSet.Make(ClusterCertificates.For(new ClusterNames { NodeName = node.Name, NodeAddress = node.Address, GatewayName = node.Name }), DateTimeOffset.UtcNow);
        foreach (var (name, pair) in certificates)
        {
            Put(ClusterLayout.Certificate(name), pair.CertificatePem);
            Put(ClusterLayout.Key(name), pair.KeyPem);
        }

        using var tokens = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Put(StateLayout.Pki + "/sa.pub", tokens.ExportSubjectPublicKeyInfoPem());
        Put(ClusterLayout.Key("sa"), tokens.ExportPkcs8PrivateKeyPem());
        foreach (var name in Components)
            Put(ClusterLayout.KubeconfigOf(name), Kubeconfig.Text("openshell", ClusterLayout.ApiServer, certificates[ClusterCertificates.ClusterCa].CertificatePem, certificates[name]));
        Put(ContainerdService.ConfigurationFile, ContainerdService.Configuration);
        Put(KubeletService.ConfigurationFile, KubeletService.Configuration);
        Put(CniConfiguration.File, CniConfiguration.Text);
        Directory.CreateDirectory(root + ClusterLayout.EtcdFolder, Folder);
        return certificates;
    }
}

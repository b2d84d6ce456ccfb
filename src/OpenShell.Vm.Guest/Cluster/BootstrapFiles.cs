using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>What the host fetches once the cluster is up: see <see cref="GuestPaths.Bootstrap"/>. In memory, and for root only.</summary>
internal static class BootstrapFiles
{
    /// <summary>Writes them.</summary>
    /// <param name="certificates">By name.</param>
    /// <param name="kubeconfig">The administrator's.</param>
    public static void Write(IReadOnlyDictionary<string, KeyPair> certificates, string kubeconfig)
    {
        var client = certificates[ClusterCertificates.GatewayClient];
        OwnerFile.Write(GuestPaths.BootstrapGatewayCa, certificates[ClusterCertificates.GatewayCa].CertificatePem);
        OwnerFile.Write(GuestPaths.BootstrapGatewayCertificate, client.CertificatePem);
        OwnerFile.Write(GuestPaths.BootstrapGatewayKey, client.KeyPem);
        // The last: it is what the host waits for.
        OwnerFile.Write(GuestPaths.BootstrapKubeconfig, kubeconfig);
    }
}

using OpenShell.Vm.Guest.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>How the scheduler and the controller manager serve health and metrics: on loopback, over TLS, to those whom RBAC lets.</summary>
internal static class LoopbackServing
{
    /// <summary>Their common arguments.</summary>
    public static IReadOnlyList<string> Arguments(int port) =>
    [
        "--bind-address=127.0.0.1",
        $"--secure-port={port}",
        // The old plain port: no.
        "--port=0",
        "--profiling=false",
        // Without a certificate they would each make an RSA key at start, which takes seconds on an emulated processor.
        "--tls-cert-file=" + ClusterLayout.Certificate(ClusterCertificates.Loopback),
        "--tls-private-key-file=" + ClusterLayout.Key(ClusterCertificates.Loopback),
    ];
}

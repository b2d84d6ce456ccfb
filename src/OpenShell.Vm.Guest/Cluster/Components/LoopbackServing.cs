using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>How the scheduler and the controller manager serve health and metrics: on loopback, over TLS, to those whom RBAC lets.</summary>
internal static class LoopbackServing
{
    /// <summary>Their common arguments.</summary>
    /// <param name="certificate">The certificate by which the component knows itself to the API server, when it asks about its own clients.</param>
    /// <param name="port">Where it serves.</param>
    public static IReadOnlyList<string> Arguments(string certificate, int port) =>
    [
        "--kubeconfig=" + ClusterLayout.KubeconfigOf(certificate),
        "--authentication-kubeconfig=" + ClusterLayout.KubeconfigOf(certificate),
        "--authorization-kubeconfig=" + ClusterLayout.KubeconfigOf(certificate),
        // Whom it believes; said here, it need not be looked up in the cluster, which ends the program when the API server is too slow to answer.
        "--authentication-skip-lookup=true",
        "--client-ca-file=" + ClusterLayout.Certificate(ClusterCertificates.ClusterCa),
        "--requestheader-client-ca-file=" + ClusterLayout.Certificate(ClusterCertificates.FrontProxyCa),
        "--requestheader-allowed-names=front-proxy-client",
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

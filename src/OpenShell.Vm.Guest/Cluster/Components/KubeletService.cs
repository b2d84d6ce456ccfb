using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>
/// Runs the pods of the node, as the user <c>system:node:NAME</c>, whom the Node authorizer and the NodeRestriction admission keep to its own node.
/// https://v1-20.docs.kubernetes.io/docs/reference/command-line-tools-reference/kubelet/
/// </summary>
internal static class KubeletService
{
    /// <summary>Its name.</summary>
    public const string Name = "kubelet";

    /// <summary>Its configuration file.</summary>
    public const string ConfigurationFile = ClusterLayout.Configuration + "/kubelet.yaml";

    /// <summary>What is run.</summary>
    public static Service Describe(ClusterNode node) => new()
    {
        Name = Name,
        Command =
        [
            $"{ClusterLayout.Programs}/{Name}",
            "--config=" + ConfigurationFile,
            "--kubeconfig=" + ClusterLayout.KubeconfigOf(ClusterCertificates.KubeletClient),
            "--container-runtime=remote",
            "--container-runtime-endpoint=unix://" + ClusterLayout.ContainerdSocket,
            "--hostname-override=" + node.Name,
            .. node.Address is null ? Array.Empty<string>() : ["--node-ip=" + node.Address],
        ],
        // The API server: the kubelet's own start takes seconds, and may overlap with its last steps. The firewall: no pod may run before what it must not reach is closed.
        Conditions =
        [
            new Condition.Done(Milestone.Firewall), new Condition.Done(Milestone.Certificates), new Condition.Healthy(ContainerdService.Name),
            new Condition.Answering(ApiServerService.Name),
        ],
        Health = new HealthCheck.Http(ClusterLayout.KubeletHealthPort, "/healthz"),
        StopOrder = 20,
    };

    /// <summary>https://v1-20.docs.kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/</summary>
    public static string Configuration { get; } =
        $$"""
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        authentication:
          anonymous: {enabled: false}
          webhook: {enabled: true}
          x509: {clientCAFile: {{ClusterLayout.Certificate(ClusterCertificates.ClusterCa)}}}
        authorization: {mode: Webhook}
        tlsCertFile: {{ClusterLayout.Certificate(ClusterCertificates.KubeletServer)}}
        tlsPrivateKeyFile: {{ClusterLayout.Key(ClusterCertificates.KubeletServer)}}
        readOnlyPort: 0
        healthzBindAddress: 127.0.0.1
        healthzPort: {{ClusterLayout.KubeletHealthPort}}
        cgroupDriver: cgroupfs
        clusterDomain: {{DnsLayout.Domain}}
        clusterDNS: [{{DnsLayout.ServiceAddress}}]
        resolvConf: /etc/resolv.conf
        serializeImagePulls: false
        containerLogMaxSize: 10Mi
        containerLogMaxFiles: 3
        # The state disk is the user's to fill; images of the workload must not be collected for a disk that is merely well used.
        evictionHard: {memory.available: 100Mi, nodefs.available: 5%, nodefs.inodesFree: 5%, imagefs.available: 5%}
        imageGCHighThresholdPercent: 90
        imageGCLowThresholdPercent: 85

        """;
}

using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>
/// The cluster's API. Nobody is anonymous; nodes may do what the Node authorizer grants, all others what RBAC does.
/// https://v1-20.docs.kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
/// </summary>
internal static class ApiServerService
{
    /// <summary>Its name.</summary>
    public const string Name = "kube-apiserver";

    /// <summary>What is run.</summary>
    public static Service Describe(ClusterNode node) => new()
    {
        Name = Name,
        Command =
        [
            $"{ClusterLayout.Programs}/{Name}",
            "--etcd-servers=unix://" + ClusterLayout.EtcdSocket,
            $"--secure-port={ClusterLayout.ApiPort}",
            "--service-cluster-ip-range=" + ClusterLayout.ServiceNetwork,
            .. node.Address is null ? Array.Empty<string>() : ["--advertise-address=" + node.Address],
            "--allow-privileged=true",
            "--profiling=false",
            // One user does not need to be kept from crowding out another, and --max-requests-inflight still bounds what is asked at once. The histograms that API priority and fairness
            // keeps of its queues, brought up to the millisecond whenever they are touched, were half of what an idle API server of this version computes (its own profile).
            "--enable-priority-and-fairness=false",
            // Who is who.
            "--anonymous-auth=false",
            "--client-ca-file=" + ClusterLayout.Certificate(ClusterCertificates.ClusterCa),
            "--tls-cert-file=" + ClusterLayout.Certificate(ClusterCertificates.ApiServer),
            "--tls-private-key-file=" + ClusterLayout.Key(ClusterCertificates.ApiServer),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            $"--service-account-key-file={StateLayout.Pki}/sa.pub",
            "--service-account-signing-key-file=" + ClusterLayout.Key("sa"),
            // Who may do what.
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            // To the kubelet, for logs, exec and port-forward.
            "--kubelet-certificate-authority=" + ClusterLayout.Certificate(ClusterCertificates.ClusterCa),
            "--kubelet-client-certificate=" + ClusterLayout.Certificate(ClusterCertificates.ApiServerToKubelet),
            "--kubelet-client-key=" + ClusterLayout.Key(ClusterCertificates.ApiServerToKubelet),
            "--kubelet-preferred-address-types=InternalIP,Hostname",
            // To API servers that extend it, and what they believe about those who ask through it.
            "--proxy-client-cert-file=" + ClusterLayout.Certificate(ClusterCertificates.FrontProxy),
            "--proxy-client-key-file=" + ClusterLayout.Key(ClusterCertificates.FrontProxy),
            "--requestheader-client-ca-file=" + ClusterLayout.Certificate(ClusterCertificates.FrontProxyCa),
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        ],
        // It waits for etcd by itself, and has seconds of its own work to do before.
        Conditions = [new Condition.Done(Milestone.StateDisk), new Condition.Done(Milestone.Certificates)],
        Reachable = new HealthCheck.Tcp(ClusterLayout.ApiPort),
        Health = new HealthCheck.Api("/readyz"),
        Liveness = new HealthCheck.Api("/livez"),
        // All others wait for it while a cluster starts, and for etcd: the time until the gateway answers is theirs.
        CpuWeight = 1000,
        StopOrder = 70,
    };
}

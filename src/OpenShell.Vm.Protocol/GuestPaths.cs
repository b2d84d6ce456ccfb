namespace OpenShell.Vm.Protocol;

/// <summary>Every path in the guest that both sides know.</summary>
public static class GuestPaths
{
    /// <summary>PID 1, in the root image. The initramfs has the same program as <c>/init</c>.</summary>
    public const string Init = "/sbin/openshell-init";

    /// <summary>The argument that tells <see cref="Init"/> that the root is a folder of the host, prepared by libkrun's own init.</summary>
    public const string InitInDirectory = "in-directory";

    /// <summary>The virtio-serial port of the agent channel (its name is <see cref="AgentPortName"/>).</summary>
    public const string AgentPort = "/dev/virtio-ports/" + AgentPortName;

    /// <summary>The name of the virtio-serial port.</summary>
    public const string AgentPortName = "org.openshell.agent";

    /// <summary>The vsock port of the agent channel, on which the guest listens, where there is no virtio-serial port.</summary>
    public const int AgentVsockPort = 10777;

    /// <summary>Read-only data of the image: manifests, workload images.</summary>
    public const string Share = "/usr/share/openshell";

    /// <summary>OCI archives (<c>*.tar</c>) imported into containerd before the kubelet starts; each only once per state disk and content.</summary>
    public const string Images = Share + "/images";

    /// <summary>Kubernetes manifests (<c>*.yaml</c>) applied at boot, in the order of their names.</summary>
    public const string Manifests = Share + "/manifests";

    /// <summary>The multi-call Kubernetes binary; kube-apiserver and the others are links to it in the same folder.</summary>
    public const string Kubernetes = "/usr/lib/openshell/kubernetes";

    /// <summary>Where the state disk is mounted (ext4, label <see cref="StateLabel"/>).</summary>
    public const string State = "/var/lib/openshell";

    /// <summary>The serial number that the state disk's virtio-blk device carries, and the label of its file system.</summary>
    public const string StateLabel = "openshell-state";

    /// <summary>The serial number of the root image's virtio-blk device.</summary>
    public const string RootSerial = "openshell-root";

    /// <summary>The serial number of the disk with what the user gives along (<see cref="Messages.DeliveryIndex"/>).</summary>
    public const string DeliverySerial = "openshell-delivery";

    /// <summary>Run-time files of PID 1 and its services.</summary>
    public const string Run = "/run/openshell";

    /// <summary>Logs of the guest's services: <c>SERVICE.log</c>.</summary>
    public const string Logs = "/var/log/openshell";

    /// <summary>What the host fetches once the cluster is up.</summary>
    public const string Bootstrap = Run + "/bootstrap";

    /// <summary>Admin kubeconfig; its server is <c>https://127.0.0.1:6443</c> and is rewritten by the host.</summary>
    public const string BootstrapKubeconfig = Bootstrap + "/kubeconfig.yaml";

    /// <summary>The gateway's CA certificate (PEM).</summary>
    public const string BootstrapGatewayCa = Bootstrap + "/mtls/ca.crt";

    /// <summary>A client certificate for the gateway (PEM).</summary>
    public const string BootstrapGatewayCertificate = Bootstrap + "/mtls/tls.crt";

    /// <summary>The key of that client certificate (PEM, PKCS #8).</summary>
    public const string BootstrapGatewayKey = Bootstrap + "/mtls/tls.key";
}

namespace OpenShell.Vm.Timeline;

/// <summary>The names of the boot stages, in the order in which they are shown. A stage may have parts: <c>services/etcd</c>.</summary>
public static class BootStages
{
    /// <summary>Looking at the host: accelerators, QEMU, memory.</summary>
    public const string HostProbe = "host-probe";

    /// <summary>Kernel, root image, workload: found in the cache, or built.</summary>
    public const string Image = "image";

    /// <summary>The instance's state disk.</summary>
    public const string Disk = "disk";

    /// <summary>gvproxy and the forwarded ports.</summary>
    public const string Network = "network";

    /// <summary>The hypervisor's process, until it runs the guest.</summary>
    public const string Vmm = "vmm";

    /// <summary>A saved machine is loaded, and told the time and who it is; skipped by a start that boots.</summary>
    public const string Resume = "resume";

    /// <summary>The guest's kernel, until PID 1 says hello.</summary>
    public const string Kernel = "kernel";

    /// <summary>PID 1: mounts, modules, network, state disk.</summary>
    public const string Init = "init";

    /// <summary>The cluster's services; its parts are <c>services/NAME</c>.</summary>
    public const string Services = "services";

    /// <summary>The Kubernetes node, until it is Ready.</summary>
    public const string Node = "node";

    /// <summary>Manifests applied, images imported.</summary>
    public const string Workload = "workload";

    /// <summary>The gateway's pod, until it is Ready.</summary>
    public const string Gateway = "gateway";

    /// <summary>Kubeconfig, certificates and metadata written on the host.</summary>
    public const string Bootstrap = "bootstrap";

    /// <summary>The gateway answered a health check over mTLS, from the host.</summary>
    public const string Ready = "ready";

    /// <summary>All of them, in order.</summary>
    public static IReadOnlyList<string> All { get; } =
        [HostProbe, Image, Disk, Network, Vmm, Resume, Kernel, Init, Services, Node, Workload, Gateway, Bootstrap, Ready];
}

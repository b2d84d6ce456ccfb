using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>Runs containers.</summary>
internal static class ContainerdService
{
    /// <summary>Its name.</summary>
    public const string Name = "containerd";

    /// <summary>Its configuration file.</summary>
    public const string ConfigurationFile = ClusterLayout.Configuration + "/containerd.toml";

    /// <summary>What is run.</summary>
    public static Service Describe() => new()
    {
        Name = Name,
        Command = ["/usr/bin/containerd", "--config", ConfigurationFile],
        // The certificates are not for it: it is the API server that must come first, and that waits for them.
        Conditions = [new Condition.Done(Milestone.StateDisk), new Condition.Done(Milestone.Certificates)],
        Health = new HealthCheck.UnixSocket(ClusterLayout.ContainerdSocket),
        ReachesOut = true,
        StopOrder = 60,
    };

    /// <summary>https://github.com/containerd/containerd/blob/v1.6.20/docs/cri/config.md</summary>
    public const string Configuration =
        $"""
        version = 2
        root = "/var/lib/containerd"
        state = "/run/containerd"
        oom_score = -999
        # Snapshotters that no kernel or disk here can serve; each probes at start.
        disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

        [grpc]
          address = "{ClusterLayout.ContainerdSocket}"

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "localhost/pause:1"

          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "/etc/cni/net.d"

          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
            default_runtime_name = "runc"

            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"

              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                # No systemd here: control groups are made as files, by the kubelet (cgroupDriver) and by runc alike.
                SystemdCgroup = false

        """;
}

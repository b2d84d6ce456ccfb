namespace OpenShell.Vm.Guest.Cluster;

/// <summary>The pod network: one bridge. https://www.cni.dev/plugins/current/main/bridge/</summary>
internal static class CniConfiguration
{
    /// <summary>Its file.</summary>
    public const string File = "/etc/cni/net.d/10-openshell.conflist";

    /// <summary>
    /// ipMasq is false: the guest's own rules (<see cref="Networking.Firewall"/>) translate the addresses of all pods at once, instead of a chain per pod
    /// that the plugin would make with five starts of iptables.
    /// </summary>
    public const string Text =
        $$$"""
        {
          "cniVersion": "0.4.0",
          "name": "openshell",
          "plugins": [
            {
              "type": "bridge",
              "bridge": "cni0",
              "isDefaultGateway": true,
              "ipMasq": false,
              "hairpinMode": true,
              "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "{{{ClusterLayout.NodePodNetwork}}}"}]]}
            },
            {"type": "portmap", "capabilities": {"portMappings": true}}
          ]
        }

        """;
}

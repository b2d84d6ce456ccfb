namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>The Service by which pods reach the name server, and where it leads: not to pods, so that there is no selector and its Endpoints are ours to write.</summary>
internal static class KubeDns
{
    /// <summary>Both, as manifests with the paths of their objects.</summary>
    public static IReadOnlyList<(string Path, string Manifest)> Objects { get; } =
    [
        ($"/api/v1/namespaces/{DnsLayout.ServiceNamespace}/services/{DnsLayout.ServiceName}", $$$"""
            {"apiVersion":"v1","kind":"Service",
             "metadata":{"name":"{{{DnsLayout.ServiceName}}}","namespace":"{{{DnsLayout.ServiceNamespace}}}","labels":{"k8s-app":"kube-dns","kubernetes.io/name":"DNS"}},
             "spec":{"clusterIP":"{{{DnsLayout.ServiceAddress}}}","ports":[
               {"name":"dns","port":53,"protocol":"UDP","targetPort":{{{DnsPlace.Guest.Port}}}},
               {"name":"dns-tcp","port":53,"protocol":"TCP","targetPort":{{{DnsPlace.Guest.Port}}}}]}}
            """),
        ($"/api/v1/namespaces/{DnsLayout.ServiceNamespace}/endpoints/{DnsLayout.ServiceName}", $$$"""
            {"apiVersion":"v1","kind":"Endpoints",
             "metadata":{"name":"{{{DnsLayout.ServiceName}}}","namespace":"{{{DnsLayout.ServiceNamespace}}}","labels":{"k8s-app":"kube-dns"}},
             "subsets":[{"addresses":[{"ip":"{{{DnsLayout.Address}}}"}],"ports":[
               {"name":"dns","port":{{{DnsPlace.Guest.Port}}},"protocol":"UDP"},
               {"name":"dns-tcp","port":{{{DnsPlace.Guest.Port}}},"protocol":"TCP"}]}]}
            """),
    ];

    /// <summary>Whether both are there and lead where they should.</summary>
    public static bool IsThere(IReadOnlyList<ServiceNames> services, IReadOnlyList<EndpointsNames> endpoints) =>
        services.Any(s => s is { Namespace: DnsLayout.ServiceNamespace, Name: DnsLayout.ServiceName, ClusterAddress: DnsLayout.ServiceAddress, Ports.Count: 2 })
        && endpoints.Any(e => e is { Namespace: DnsLayout.ServiceNamespace, Name: DnsLayout.ServiceName, Subsets: [{ Addresses: [(DnsLayout.Address, _)], Ports.Count: 2 }] });
}

using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>What of a Service matters to its name.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="ClusterAddress">spec.clusterIP; <c>None</c> for a headless one, <see langword="null"/> for none at all.</param>
/// <param name="ExternalName">The name that it stands for, if it is of that type.</param>
/// <param name="Ports">Its ports that have a name.</param>
internal sealed record ServiceNames(string Namespace, string Name, string? ClusterAddress, string? ExternalName, IReadOnlyList<NamedPort> Ports)
{
    /// <summary>Whether its name stands for its endpoints' addresses.</summary>
    public bool IsHeadless => ExternalName is null && ClusterAddress == "None";

    /// <summary>Its name in full, without a dot at the end.</summary>
    public string Host => $"{Name}.{Namespace}.{DnsLayout.ServiceDomain}";

    /// <summary>Reads a v1 Service.</summary>
    public static ServiceNames Read(JsonElement item) => new(
        item.Text("metadata", "namespace")!,
        item.Text("metadata", "name")!,
        item.Text("spec", "clusterIP"),
        item.Text("spec", "type") == "ExternalName" ? item.Text("spec", "externalName") : null,
        NamedPort.ReadAll(item, "spec", "ports"));
}

/// <summary>A port that has a name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Protocol">Its protocol, in lower case, as it stands in DNS.</param>
/// <param name="Port">Its number.</param>
internal sealed record NamedPort(string Name, string Protocol, int Port)
{
    /// <summary>Those of a list of ports that have a name.</summary>
    public static IReadOnlyList<NamedPort> ReadAll(JsonElement item, params ReadOnlySpan<string> path)
    {
        var ports = new List<NamedPort>();
        foreach (var port in item.Items(path))
        {
            if (port.Text("name") is { Length: > 0 } name)
                ports.Add(new NamedPort(name, (port.Text("protocol") ?? "TCP").ToLowerInvariant(), port.Number("port")));
        }

        return ports;
    }
}

/// <summary>What of an Endpoints object matters to names: who is ready. The controller counts those of a Service with publishNotReadyAddresses as ready, too.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name, which is its Service's.</param>
/// <param name="Subsets">Addresses with the ports that they share.</param>
internal sealed record EndpointsNames(string Namespace, string Name, IReadOnlyList<EndpointsSubset> Subsets)
{
    /// <summary>Reads a v1 Endpoints.</summary>
    public static EndpointsNames Read(JsonElement item)
    {
        var subsets = new List<EndpointsSubset>();
        foreach (var subset in item.Items("subsets"))
        {
            var addresses = new List<(string, string?)>();
            foreach (var address in subset.Items("addresses"))
            {
                if (address.Text("ip") is { } ip)
                    addresses.Add((ip, address.Text("hostname")));
            }

            subsets.Add(new EndpointsSubset(addresses, NamedPort.ReadAll(subset, "ports")));
        }

        return new EndpointsNames(item.Text("metadata", "namespace")!, item.Text("metadata", "name")!, subsets);
    }
}

/// <summary>Addresses that have the same ports.</summary>
/// <param name="Addresses">Each with its host name, if its pod has one (a StatefulSet's do).</param>
/// <param name="Ports">Ports that have a name.</param>
internal sealed record EndpointsSubset(IReadOnlyList<(string Ip, string? Hostname)> Addresses, IReadOnlyList<NamedPort> Ports);

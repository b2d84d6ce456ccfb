using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>The cluster's names as dnsmasq reads them. https://github.com/kubernetes/dns/blob/master/docs/specification.md</summary>
/// <param name="Hosts">Names whose addresses are the cluster's own, as hosts(5).</param>
/// <param name="Outside">Names whose addresses are not (ExternalName, Endpoints made by hand), likewise: kept apart, since dnsmasq answers reverse lookups of what it reads here.</param>
/// <param name="Servers">For which names the first instance asks the second.</param>
/// <param name="Records">SRV records.</param>
internal sealed record DnsZone(string Hosts, string Outside, string Servers, string Records)
{
    /// <summary>No names at all.</summary>
    public static DnsZone Empty { get; } = new("", "", "", "");

    /// <summary>Makes the files' texts; the same objects give the same texts, in whatever order they come.</summary>
    /// <param name="services">All Services.</param>
    /// <param name="endpoints">All Endpoints.</param>
    /// <param name="resolve">The IPv4 addresses that a name outside of the cluster has, as far as they are known.</param>
    /// <param name="secondServer">Where the first instance reaches the second: <c>address#port</c>.</param>
    public static DnsZone Of(
        IReadOnlyList<ServiceNames> services, IReadOnlyList<EndpointsNames> endpoints, Func<string, IReadOnlyList<string>> resolve, string secondServer) =>
        new Writer(services, endpoints, resolve).Write(secondServer);

    private sealed class Writer(IReadOnlyList<ServiceNames> services, IReadOnlyList<EndpointsNames> endpoints, Func<string, IReadOnlyList<string>> resolve)
    {
        // Longer chains of ExternalNames that name one another are a mistake, or a circle.
        private const int LongestChain = 8;

        private readonly Dictionary<string, ServiceNames> _services = services.ToDictionary(s => s.Host);
        private readonly Dictionary<(string, string), EndpointsNames> _endpoints = endpoints.ToDictionary(e => (e.Namespace, e.Name));
        private readonly StringBuilder _hosts = new(), _outside = new();
        private readonly SortedSet<string> _asked = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _records = new(StringComparer.Ordinal);

        public DnsZone Write(string secondServer)
        {
            foreach (var service in services.Where(s => IsName(s.Host)).OrderBy(s => s.Host, StringComparer.Ordinal))
            {
                WriteNames(service);
                WriteRecords(service);
            }

            return new DnsZone(
                _hosts.ToString(), _outside.ToString(),
                string.Concat(_asked.Select(name => $"server=/{name}/{secondServer}\n")), string.Concat(_records.Select(record => $"srv-host={record}\n")));
        }

        private void WriteNames(ServiceNames service)
        {
            // A pod's own name first: the first name of an address is what a reverse lookup gives.
            var names = new List<(string Address, string Name)>();
            if (service.IsHeadless)
                names.AddRange(Endpoints(service).SelectMany(e => e.Addresses).Select(a => (a.Ip, HostOf(service, a))));
            names.AddRange(AddressesOf(service, 0).Select(address => (address, service.Host)));
            var lines = names.Where(n => IsName(n.Name) && IsAddress(n.Address)).Distinct().ToList();
            var inside = lines.TrueForAll(line => IsInside(line.Address));
            // Not only those that are outside: who asks for the Service's name is answered from one place.
            foreach (var (address, name) in lines)
                (inside ? _hosts : _outside).Append(address).Append(' ').Append(name).Append('\n');
            if (!inside)
                _asked.Add(service.Host);
        }

        private void WriteRecords(ServiceNames service)
        {
            if (service.IsHeadless)
            {
                foreach (var subset in Endpoints(service))
                {
                    foreach (var port in subset.Ports)
                    {
                        foreach (var address in subset.Addresses)
                            Record(service, port, HostOf(service, address));
                    }
                }
            }
            else if (service.ExternalName is null && service.ClusterAddress is not null)
            {
                foreach (var port in service.Ports)
                    Record(service, port, service.Host);
            }
        }

        private void Record(ServiceNames service, NamedPort port, string target)
        {
            var domain = $"_{port.Protocol}.{service.Host}";
            if (!IsName(target) || !IsName($"_{port.Name}.{domain}"))
                return;
            _asked.Add(domain);
            _records.Add(string.Create(CultureInfo.InvariantCulture, $"_{port.Name}.{domain},{target},{port.Port},0,100"));
        }

        private IReadOnlyList<EndpointsSubset> Endpoints(ServiceNames service) => _endpoints.GetValueOrDefault((service.Namespace, service.Name))?.Subsets ?? [];

        private IEnumerable<string> AddressesOf(ServiceNames service, int depth)
        {
            if (service.ExternalName is { } external)
            {
                var name = external.TrimEnd('.').ToLowerInvariant();
                if (!name.EndsWith("." + DnsLayout.Domain, StringComparison.Ordinal))
                    return resolve(name);
                return depth < LongestChain && _services.TryGetValue(name, out var next) ? AddressesOf(next, depth + 1) : [];
            }

            if (service.IsHeadless)
                return Endpoints(service).SelectMany(e => e.Addresses).Select(a => a.Ip).Order(StringComparer.Ordinal);
            return service.ClusterAddress is { Length: > 0 } address ? [address] : [];
        }

        /// <summary>An endpoint's own name: its pod's host name, else its address with dashes, as CoreDNS does it (the specification leaves it open).</summary>
        private static string HostOf(ServiceNames service, (string Ip, string? Hostname) address) =>
            $"{address.Hostname ?? address.Ip.Replace('.', '-')}.{service.Host}";

        private static bool IsInside(string address) => address.StartsWith("10.42.", StringComparison.Ordinal) || address.StartsWith("10.43.", StringComparison.Ordinal);

        private static bool IsAddress(string text) => IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;

        /// <summary>The API server has seen to it already; here it keeps a line of a file from becoming two.</summary>
        private static bool IsName(string name) => name.Length <= 253 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');
    }
}

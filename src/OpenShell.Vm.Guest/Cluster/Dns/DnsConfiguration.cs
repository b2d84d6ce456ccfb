using System.Text;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>
/// What the two instances of dnsmasq are started with. The first answers everybody, learns addresses while it runs and is never restarted for them; it asks the second about the
/// few names below which there is something that dnsmasq only reads at its start (SRV records), so that a restart for those is not an outage of all names.
/// https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html
/// </summary>
internal static class DnsConfiguration
{
    /// <summary>The first: the name server of pods.</summary>
    /// <param name="place">Where it is.</param>
    /// <param name="resolvers">Who knows all other names; nobody: they are refused.</param>
    public static string NameServer(DnsPlace place, IReadOnlyList<string> resolvers)
    {
        var text = new StringBuilder(Common(place, place.Port));
        text.Append($"""
            # Which names below the cluster's domain the second instance has; read again on SIGHUP.
            servers-file={place.Servers}
            # The version of the cluster's DNS schema that this keeps to: https://github.com/kubernetes/dns/blob/master/docs/specification.md
            txt-record=dns-version.{DnsLayout.Domain},1.1.0
            cache-size=1000
            # All of a pod's lookups come from one address; the default of 150 at once is one busy pod.
            dns-forward-max=1000

            """);
        foreach (var resolver in resolvers)
            text.Append("server=").Append(resolver).Append('\n');
        return text.ToString();
    }

    /// <summary>The second: SRV records, and names of the cluster that lead out of it, for which dnsmasq would else answer reverse lookups of foreign addresses.</summary>
    /// <param name="place">Where it is.</param>
    public static string Records(DnsPlace place) => Common(place, place.RecordsPort) + $"""
        hostsdir={place.OutsideHosts}
        conf-file={place.Records}

        """;

    private static string Common(DnsPlace place, int port) => $"""
        keep-in-foreground
        log-facility=-
        pid-file
        user=nobody
        group=nogroup
        port={port}
        listen-address={place.Address}
        bind-interfaces
        # Only what is written here: neither the guest's own names nor its resolvers.
        no-hosts
        no-resolv
        hostsdir={place.Hosts}
        # As long as other clusters' name servers say that an answer holds; CoreDNS' default.
        local-ttl=5
        # Never asked elsewhere: what is not here does not exist.
        local=/{DnsLayout.Domain}/
        local=/42.10.in-addr.arpa/
        local=/43.10.in-addr.arpa/

        """;
}

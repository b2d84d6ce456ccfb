using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>Answers for the cluster's names: two instances of dnsmasq, for the reason in <see cref="DnsConfiguration"/>. PID 1 tells them the names (<see cref="DnsFeed"/>).</summary>
internal static class DnsService
{
    /// <summary>Its name, and that of the second instance.</summary>
    public const string Name = "dns", RecordsName = "dns-records";

    /// <summary>The name server of pods.</summary>
    public static Service Describe(DnsPlace place) => Describe(Name, place.Configuration, place.Address, place.Port);

    /// <summary>The one with the records that are read at a start.</summary>
    public static Service DescribeRecords(DnsPlace place) => Describe(RecordsName, place.RecordsConfiguration, place.Address, place.RecordsPort);

    private static Service Describe(string name, string configuration, string address, int port) => new()
    {
        Name = name,
        Command = ["/usr/sbin/dnsmasq", "--conf-file=" + configuration],
        // The names are read from the API server: nobody could use an answer earlier.
        Conditions = [new Condition.Done(Milestone.Firewall), new Condition.Healthy(ApiServerService.Name), new Condition.Done(Milestone.Names)],
        Health = new HealthCheck.Tcp(port, address),
        // After the pods, which may want to say goodbye to somebody by name.
        StopOrder = 55,
        StopPatience = TimeSpan.FromSeconds(1),
    };
}

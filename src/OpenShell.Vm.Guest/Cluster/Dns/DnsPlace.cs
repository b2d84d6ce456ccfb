using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>Where the name server's two instances listen, and where their files are.</summary>
/// <param name="Folder">Everything that both read.</param>
/// <param name="Address">The address of both.</param>
/// <param name="Port">The name server's port.</param>
/// <param name="RecordsPort">That of the second instance, which has the records that are only read at a start.</param>
internal sealed record DnsPlace(string Folder, string Address, int Port, int RecordsPort)
{
    /// <summary>Theirs in a guest.</summary>
    public static DnsPlace Guest { get; } = new(GuestPaths.Run + "/dns", DnsLayout.Address, 53, 5354);

    /// <summary>What each is started with.</summary>
    public string Configuration => Folder + "/dnsmasq.conf";

    /// <inheritdoc cref="Configuration"/>
    public string RecordsConfiguration => Folder + "/records.conf";

    /// <summary>Folder of the names that both follow while they run.</summary>
    public string Hosts => Folder + "/hosts";

    /// <summary>Folder of the names that only the second has.</summary>
    public string OutsideHosts => Folder + "/outside";

    /// <summary>Which domains the first asks the second about: read again on SIGHUP.</summary>
    public string Servers => Folder + "/servers";

    /// <summary>SRV records: read at the start of the second.</summary>
    public string Records => Folder + "/srv.conf";

    /// <summary>The second, as the first's configuration names a server.</summary>
    public string SecondServer => $"{Address}#{RecordsPort}";
}

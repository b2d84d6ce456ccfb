using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>Writes what changed of the names, each file whole or not at all, and has dnsmasq read it in the way that it reads that file.</summary>
internal sealed class DnsFiles(ServiceManager services, DnsPlace place)
{
    private DnsZone? _written;

    /// <summary>Makes the folders and what both instances are started with.</summary>
    public void Prepare(IReadOnlyList<string> resolvers)
    {
        // Read by dnsmasq as nobody, after it has given up root; written by root alone.
        foreach (var part in (string[])[place.Hosts, place.OutsideHosts])
            Mounter.MakeFolders(part);
        Write(place.Configuration, DnsConfiguration.NameServer(place, resolvers));
        Write(place.RecordsConfiguration, DnsConfiguration.Records(place));
    }

    /// <summary>Writes what is not yet as it should be.</summary>
    /// <returns>Whether anything was.</returns>
    public bool Update(DnsZone zone)
    {
        if (zone == _written)
            return false;
        // dnsmasq sees a file that comes into these folders, and forgets what it had from the one before (dnsmasq 2.90, inotify.c; its log: "flushed N names").
        if (zone.Hosts != _written?.Hosts)
            Write(place.Hosts + "/services", zone.Hosts);
        if (zone.Outside != _written?.Outside)
            Write(place.OutsideHosts + "/services", zone.Outside);
        // The answer before the question: the second instance first.
        if (zone.Records != _written?.Records)
        {
            Write(place.Records, zone.Records);
            services.Replace(DnsService.RecordsName);
        }

        if (zone.Servers != _written?.Servers)
        {
            Write(place.Servers, zone.Servers);
            services.Signal(DnsService.Name, Linux.SignalHangUp);
        }

        _written = zone;
        return true;
    }

    /// <summary>Moved into its folder: dnsmasq never sees half a file.</summary>
    private void Write(string path, string text)
    {
        var aside = $"{place.Folder}/{Path.GetFileName(path)}.new";
        File.WriteAllText(aside, text);
        File.Move(aside, path, overwrite: true);
    }
}

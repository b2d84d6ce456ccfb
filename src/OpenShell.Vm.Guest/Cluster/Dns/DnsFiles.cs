using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>Writes what changed of the names, each file whole or not at all, and has dnsmasq read it in the way that it reads that file.</summary>
internal sealed class DnsFiles(ServiceManager services, string folder = DnsLayout.Folder)
{
    private DnsZone? _written;

    /// <summary>Makes the folders and what both instances are started with.</summary>
    public void Prepare(IReadOnlyList<string> resolvers)
    {
        // Read by dnsmasq as nobody, after it has given up root; written by root alone.
        foreach (var part in (string[])[DnsLayout.Hosts, DnsLayout.OutsideHosts])
            Mounter.MakeFolders(Here(part));
        Write(DnsLayout.Configuration, DnsConfiguration.NameServer(resolvers, folder: folder));
        Write(DnsLayout.RecordsConfiguration, DnsConfiguration.Records(folder: folder));
    }

    /// <summary>Writes what is not yet as it should be.</summary>
    /// <returns>Whether anything was.</returns>
    public bool Update(DnsZone zone)
    {
        if (zone == _written)
            return false;
        // dnsmasq sees a file that comes into these folders, and forgets what it had from the one before (dnsmasq 2.90, inotify.c; its log: "flushed N names").
        if (zone.Hosts != _written?.Hosts)
            Write(DnsLayout.Hosts + "/services", zone.Hosts);
        if (zone.Outside != _written?.Outside)
            Write(DnsLayout.OutsideHosts + "/services", zone.Outside);
        // The answer before the question: the second instance first.
        if (zone.Records != _written?.Records)
        {
            Write(DnsLayout.Records, zone.Records);
            services.Replace(DnsService.RecordsName);
        }

        if (zone.Servers != _written?.Servers)
        {
            Write(DnsLayout.Servers, zone.Servers);
            services.Signal(DnsService.Name, Linux.SignalHangUp);
        }

        _written = zone;
        return true;
    }

    private string Here(string path) => folder + path[DnsLayout.Folder.Length..];

    /// <summary>Moved into its folder: dnsmasq never sees half a file.</summary>
    private void Write(string path, string text)
    {
        var aside = $"{folder}/{Path.GetFileName(path)}.new";
        File.WriteAllText(aside, text);
        File.Move(aside, Here(path), overwrite: true);
    }
}

using System.Net;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// What udhcpc runs when its lease changes (its <c>-s</c> program; https://git.busybox.net/busybox/tree/examples/udhcp/simple.script shows the contract:
/// the event is the first argument, the lease is in the environment).
/// </summary>
internal static class DhcpHook
{
    /// <summary>The name under which this program is started as the hook.</summary>
    public const string Name = "udhcpc-hook";

    /// <summary>Handles one event.</summary>
    /// <returns>The exit code for udhcpc.</returns>
    public static int Run(string? happened)
    {
        // deconfig, leasefail, nak: the interface keeps what the host configured, which is what its port forwards point at.
        if (happened is not ("bound" or "renew"))
            return 0;
        Apply(Lease.FromEnvironment(Environment.GetEnvironmentVariable));
        return 0;
    }

    private static void Apply(Lease lease)
    {
        if (lease.NameServers.Count > 0)
            NameFiles.SetResolver(lease.NameServers, lease.Domain);
        Console.Error.WriteLine($"lease {lease.Address}, name servers {string.Join(' ', lease.NameServers)}");
    }
}

/// <summary>What a DHCP server offered, as udhcpc tells it.</summary>
/// <param name="Address">The leased address.</param>
/// <param name="NameServers">Option 6; those that are no IPv4 addresses are left out.</param>
/// <param name="Domain">Option 15.</param>
internal sealed record Lease(string? Address, IReadOnlyList<string> NameServers, string? Domain)
{
    /// <summary>Reads the variables that udhcpc sets.</summary>
    public static Lease FromEnvironment(Func<string, string?> variable) => new(
        variable("ip"),
        [.. (variable("dns") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(s => IPAddress.TryParse(s, out _))],
        variable("domain"));
}

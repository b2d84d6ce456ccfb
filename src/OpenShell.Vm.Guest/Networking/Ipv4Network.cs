using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>An IPv4 address with the length of its network's prefix, written <c>192.168.127.2/24</c>.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">0 to 32.</param>
internal readonly record struct Ipv4Network(IPAddress Address, int PrefixLength)
{
    /// <summary>The prefix as a mask, such as 255.255.255.0.</summary>
    public IPAddress Mask
    {
        get
        {
            var bits = PrefixLength == 0 ? 0u : uint.MaxValue << (32 - PrefixLength);
            return new IPAddress([(byte)(bits >> 24), (byte)(bits >> 16), (byte)(bits >> 8), (byte)bits]);
        }
    }

    /// <summary>Reads the written form.</summary>
    public static bool TryParse(string text, out Ipv4Network network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || !IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            || address.AddressFamily != AddressFamily.InterNetwork
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > 32)
        {
            return false;
        }

        network = new Ipv4Network(address, length);
        return true;
    }

    /// <summary>The length of a mask's prefix: 24 for 255.255.255.0.</summary>
    public static int PrefixOf(IPAddress mask)
    {
        var length = 0;
        foreach (var part in mask.GetAddressBytes())
            length += System.Numerics.BitOperations.PopCount(part);
        return length;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLength}";
}

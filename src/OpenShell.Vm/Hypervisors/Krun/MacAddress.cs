using System.Net.NetworkInformation;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>The six bytes of an Ethernet address, compared by value.</summary>
internal sealed record MacAddress
{
    private readonly byte[] _bytes;

    /// <param name="text">Such as <c>5a:94:ef:e4:0c:ee</c>.</param>
    internal MacAddress(string text) => _bytes = PhysicalAddress.Parse(text).GetAddressBytes();

    /// <summary>In the order in which they are sent.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <inheritdoc/>
    public bool Equals(MacAddress? other) => other is not null && other._bytes.AsSpan().SequenceEqual(_bytes);

    /// <inheritdoc/>
    public override int GetHashCode() => _bytes[^1];

    /// <inheritdoc/>
    public override string ToString() => string.Join(':', _bytes.Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
}

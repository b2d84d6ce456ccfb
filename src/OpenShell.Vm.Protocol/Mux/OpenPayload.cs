using System.Buffers;
using System.Text;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>The payload of OPEN: u8 length of the service's name, the name, the rest is the service's header.</summary>
internal static class OpenPayload
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>Bytes that a header may have.</summary>
    public static int MaxHeader(string service) => ProtocolLimits.MaxPayload - 1 - service.Length;

    public static byte[] Encode(string service, ReadOnlySpan<byte> header)
    {
        if (!IsName(service))
            throw new ArgumentException($"'{service}' is not the name of a service: 1 to {ProtocolLimits.MaxServiceName} of a-z, 0-9, '.', '-', '_'.", nameof(service));
        if (header.Length > MaxHeader(service))
            throw new ArgumentException($"The request is {header.Length} bytes long; {service} takes at most {MaxHeader(service)}.", nameof(header));
        var payload = new byte[1 + service.Length + header.Length];
        payload[0] = (byte)service.Length;
        Encoding.ASCII.GetBytes(service, payload.AsSpan(1));
        header.CopyTo(payload.AsSpan(1 + service.Length));
        return payload;
    }

    /// <exception cref="ProtocolException">There is no valid name.</exception>
    public static (string Service, byte[] Header) Decode(in ReadOnlySequence<byte> payload)
    {
        var length = payload.IsEmpty ? 0 : payload.FirstSpan[0];
        if (payload.Length < 1 + length)
            throw new ProtocolException(ProtocolCode.InvalidFrame, "OPEN ends within its name.");
        var service = Encoding.Latin1.GetString(payload.Slice(1, length));
        if (!IsName(service))
            throw new ProtocolException(ProtocolCode.InvalidFrame, "OPEN names no service.");
        return (service, payload.Slice(1 + length).ToArray());
    }

    private static bool IsName(string service) =>
        service.Length is >= 1 and <= ProtocolLimits.MaxServiceName && !service.AsSpan().ContainsAnyExcept(NameCharacters);
}

using System.Globalization;
using System.Text;

namespace OpenShell.Gateway.Grpc;

/// <summary>How <c>grpc-message</c> is written: UTF-8 in which every byte but printable ASCII, and the percent sign, is <c>%XX</c> (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses).</summary>
internal static class PercentEncoding
{
    /// <summary>Encodes a message, cut at <see cref="GrpcLimits.MaxStatusMessage"/>.</summary>
    public static string Encode(string message)
    {
        if (message.Length > GrpcLimits.MaxStatusMessage)
            message = message[..GrpcLimits.MaxStatusMessage];
        var encoded = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%')
                encoded.Append((char)b);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return encoded.ToString();
    }
}

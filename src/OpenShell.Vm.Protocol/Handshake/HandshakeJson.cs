using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OpenShell.Vm.Protocol.Handshake;

/// <summary>JSON that may be nonsense: in a handshake whatever cannot be read is skipped, as it may be left over from an earlier session.</summary>
internal static class HandshakeJson
{
    public static T? TryRead<T>(byte[] payload, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(payload, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Reads what a host asks for.</summary>
internal static class ServiceJson
{
    /// <exception cref="MuxStreamException">The request is not what the service expects: <see cref="ProtocolCode.InvalidRequest"/>.</exception>
    public static T ReadHeader<T>(this MuxStream stream, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(stream.Header.Span, type) ?? throw Invalid(stream.Service, "it is null.");
        }
        catch (JsonException e)
        {
            throw Invalid(stream.Service, e.Message);
        }
    }

    public static ValueTask WriteAsync<T>(this MuxStream stream, byte kind, T message, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        stream.WriteAsync(kind, JsonSerializer.SerializeToUtf8Bytes(message, type), cancellationToken);

    public static MuxStreamException Invalid(string service, string reason) =>
        new(ProtocolCode.InvalidRequest, $"The request for '{service}' is not valid: {reason}");
}

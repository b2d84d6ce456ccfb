using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Health;

/// <summary>What a service says of itself; the numbers are those of <c>proto/grpc/health/v1/health.proto</c>.</summary>
internal enum ServingStatus
{
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    ServiceUnknown = 3,
}

/// <summary><c>grpc.health.v1.HealthCheckRequest</c>.</summary>
internal sealed record HealthCheckRequest(string Service) : IProtoMessage<HealthCheckRequest>
{
    public static HealthCheckRequest Read(ref ProtoReader reader)
    {
        var service = "";
        for (int field; (field = reader.NextField()) != 0;)
        {
            if (field == 1)
                service = reader.String();
            else
                reader.Skip();
        }
        return new HealthCheckRequest(service);
    }

    public void Write(ProtoWriter writer) => writer.String(1, Service);
}

/// <summary><c>grpc.health.v1.HealthCheckResponse</c>.</summary>
internal sealed record HealthCheckResponse(ServingStatus Status) : IProtoMessage<HealthCheckResponse>
{
    public static HealthCheckResponse Read(ref ProtoReader reader)
    {
        var status = ServingStatus.Unknown;
        for (int field; (field = reader.NextField()) != 0;)
        {
            if (field == 1)
                status = (ServingStatus)reader.Int64();
            else
                reader.Skip();
        }
        return new HealthCheckResponse(status);
    }

    public void Write(ProtoWriter writer) => writer.Int64(1, (long)Status);
}

using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Info;

/// <summary><c>openshell.v1.GetInfoRequest</c>.</summary>
internal sealed record GetInfoRequest : IProtoMessage<GetInfoRequest>
{
    public static GetInfoRequest Read(ref ProtoReader reader)
    {
        while (reader.NextField() != 0)
            reader.Skip();
        return new GetInfoRequest();
    }

    public void Write(ProtoWriter writer)
    {
    }
}

/// <summary><c>openshell.v1.GetInfoResponse</c>; what the fields mean stands in <c>proto/openshell/v1/gateway.proto</c>.</summary>
internal sealed record GetInfoResponse : IProtoMessage<GetInfoResponse>
{
    public string Version { get; init; } = "";

    public Timestamp? StartTime { get; init; }

    public string Node { get; init; } = "";

    public ClusterInfo? Cluster { get; init; }

    public static GetInfoResponse Read(ref ProtoReader reader)
    {
        var response = new GetInfoResponse();
        for (int field; (field = reader.NextField()) != 0;)
        {
            switch (field)
            {
                case 1:
                    response = response with { Version = reader.String() };
                    break;
                case 2:
                    response = response with { StartTime = reader.Message<Timestamp>() };
                    break;
                case 3:
                    response = response with { Node = reader.String() };
                    break;
                case 4:
                    response = response with { Cluster = reader.Message<ClusterInfo>() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return response;
    }

    public void Write(ProtoWriter writer)
    {
        writer.String(1, Version);
        writer.Message(2, StartTime);
        writer.String(3, Node);
        writer.Message(4, Cluster);
    }
}

/// <summary><c>openshell.v1.ClusterInfo</c>.</summary>
internal sealed record ClusterInfo : IProtoMessage<ClusterInfo>
{
    public string Version { get; init; } = "";

    public string Unavailable { get; init; } = "";

    public Timestamp? CheckedAt { get; init; }

    public static ClusterInfo Read(ref ProtoReader reader)
    {
        var info = new ClusterInfo();
        for (int field; (field = reader.NextField()) != 0;)
        {
            switch (field)
            {
                case 1:
                    info = info with { Version = reader.String() };
                    break;
                case 2:
                    info = info with { Unavailable = reader.String() };
                    break;
                case 3:
                    info = info with { CheckedAt = reader.Message<Timestamp>() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return info;
    }

    public void Write(ProtoWriter writer)
    {
        writer.String(1, Version);
        writer.String(2, Unavailable);
        writer.Message(3, CheckedAt);
    }
}

using Google.Protobuf;
using OpenShell.Gateway.Health;
using OpenShell.Gateway.Info;
using OpenShell.Gateway.Protobuf;
using HealthWire = Grpc.Health.V1;
using InfoWire = Openshell.V1;

namespace OpenShell.Gateway.Tests.Protobuf;

/// <summary>The messages that are written by hand against what protoc makes of the same .proto.</summary>
public sealed class WireTests
{
    [Theory]
    [InlineData("")]
    [InlineData("openshell.v1.Gateway")]
    [InlineData("Größe €")]
    public void HealthCheckRequest_is_the_same_both_ways(string service)
    {
        var wire = new HealthWire.HealthCheckRequest { Service = service };

        Bytes(new HealthCheckRequest(service)).ShouldBe(wire.ToByteArray());
        Read<HealthCheckRequest>(wire).Service.ShouldBe(service);
    }

    [Fact]
    public void Every_serving_status_has_the_same_number_and_name()
    {
        Enum.GetValues<ServingStatus>().Select(status => (int)status)
            .ShouldBe(Enum.GetValues<HealthWire.HealthCheckResponse.Types.ServingStatus>().Select(status => (int)status));
        Enum.GetNames<ServingStatus>().ShouldBe(Enum.GetNames<HealthWire.HealthCheckResponse.Types.ServingStatus>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void HealthCheckResponse_is_the_same_both_ways(int status)
    {
        var wire = new HealthWire.HealthCheckResponse { Status = (HealthWire.HealthCheckResponse.Types.ServingStatus)status };

        Bytes(new HealthCheckResponse((ServingStatus)status)).ShouldBe(wire.ToByteArray());
        ((int)Read<HealthCheckResponse>(wire).Status).ShouldBe(status);
    }

    [Fact]
    public void GetInfoResponse_is_the_same_both_ways()
    {
        var time = DateTimeOffset.UtcNow;
        var stamp = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(time);
        var wire = new InfoWire.GetInfoResponse
        {
            Version = "0.1.0",
            StartTime = stamp,
            Node = "node",
            Cluster = new InfoWire.ClusterInfo { Version = "v1.20.2", Unavailable = new string('x', 300), CheckedAt = stamp },
        };
        var ours = new GetInfoResponse
        {
            Version = "0.1.0",
            StartTime = Timestamp.From(time),
            Node = "node",
            Cluster = new ClusterInfo { Version = "v1.20.2", Unavailable = new string('x', 300), CheckedAt = Timestamp.From(time) },
        };

        Bytes(ours).ShouldBe(wire.ToByteArray());
        Read<GetInfoResponse>(wire).ShouldBe(ours);
    }

    [Fact]
    public void An_empty_message_is_not_the_same_as_none()
    {
        Bytes(new GetInfoResponse { Cluster = new ClusterInfo() }).ShouldBe(new InfoWire.GetInfoResponse { Cluster = new InfoWire.ClusterInfo() }.ToByteArray());
        Bytes(new GetInfoResponse()).ShouldBeEmpty();
        Bytes(new GetInfoRequest()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1969-12-31T23:59:59.75Z")]
    [InlineData("1970-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    public void A_time_is_the_same_on_both_sides_of_the_epoch(string text)
    {
        var time = DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

        Bytes(Timestamp.From(time)).ShouldBe(Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(time).ToByteArray());
    }

    [Fact]
    public void Fields_that_a_later_version_adds_are_skipped()
    {
        // All wire types of proto3, under numbers that the message does not have, before and after the one that it has.
        byte[] message = [0x78, 0x96, 0x01, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 2, 1, 2, 0x0a, 1, (byte)'x', 0x7d, 1, 2, 3, 4];

        Read<HealthCheckRequest>(HealthWire.HealthCheckRequest.Parser.ParseFrom(message)).Service.ShouldBe("x");
    }

    [Theory]
    [InlineData(new byte[] { 0x0a })]
    [InlineData(new byte[] { 0x0a, 0x80 })]
    [InlineData(new byte[] { 0x0a, 2, 1 })]
    [InlineData(new byte[] { 0x08, 1 })] // a number where the .proto has a text
    [InlineData(new byte[] { 0x00, 1 })] // field 0
    [InlineData(new byte[] { 0x7b, 0x7c })] // a group
    [InlineData(new byte[] { 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 })]
    public void Bytes_that_are_no_message_are_refused(byte[] bytes) =>
        Should.Throw<InvalidDataException>(() =>
        {
            var reader = new ProtoReader(bytes);
            return HealthCheckRequest.Read(ref reader);
        });

    private static byte[] Bytes<T>(T message)
        where T : IProtoMessage<T>
    {
        var writer = new ProtoWriter();
        message.Write(writer);
        return writer.Written.ToArray();
    }

    private static T Read<T>(Google.Protobuf.IMessage wire)
        where T : IProtoMessage<T>
    {
        var reader = new ProtoReader(wire.ToByteArray());
        return T.Read(ref reader);
    }
}

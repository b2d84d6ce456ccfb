using OpenShell.Gateway.Grpc;

namespace OpenShell.Gateway.Tests.Grpc;

public sealed class GrpcTimeoutTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("250m", 2_500_000)]
    [InlineData("10u", 100)]
    [InlineData("100n", 1)]
    [InlineData("1n", 1)]
    [InlineData("00000000n", 0)]
    public void Every_unit_is_read(string header, long ticks) => GrpcTimeout.Parse(header)!.Value.Ticks.ShouldBe(ticks);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("99999999H")]
    [InlineData("99999999S")]
    public void No_timeout_and_one_beyond_all_timers_are_the_same(string? header) => GrpcTimeout.Parse(header).ShouldBeNull();

    [Theory]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1.5S")]
    [InlineData("123456789m")]
    public void Another_form_is_refused(string header) =>
        Should.Throw<GrpcException>(() => GrpcTimeout.Parse(header)).Status.ShouldBe(GrpcStatusCode.Internal);
}

using OpenShell.Gateway.Grpc;

namespace OpenShell.Gateway.Tests.Grpc;

public sealed class PercentEncodingTests
{
    [Theory]
    [InlineData("plain ASCII, with 'punctuation' & ~", "plain ASCII, with 'punctuation' & ~")]
    [InlineData("100 %", "100 %25")]
    [InlineData("a\r\nb\t\u007f", "a%0D%0Ab%09%7F")]
    [InlineData("Größe €", "Gr%C3%B6%C3%9Fe %E2%82%AC")]
    public void Only_printable_ASCII_without_the_percent_sign_stays(string message, string encoded)
    {
        PercentEncoding.Encode(message).ShouldBe(encoded);
        Uri.UnescapeDataString(encoded).ShouldBe(message);
    }

    [Fact]
    public void A_long_message_is_cut_so_that_it_fits_into_trailers() =>
        PercentEncoding.Encode(new string('x', 100_000)).Length.ShouldBe(GrpcLimits.MaxStatusMessage);
}

using System.Net;
using OpenShell.Gateway.Grpc;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests.Grpc;

public sealed class GrpcServerTests : IAsyncLifetime
{
    private const string Check = "/grpc.health.v1.Health/Check";
    private const string Watch = "/grpc.health.v1.Health/Watch";
    private static readonly byte[] Empty = TestClient.Frame([]);

    private readonly TestPki _pki = new();
    private TestGateway _gateway = null!;
    private TestClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync(_pki);
        _client = new TestClient(_gateway.Endpoint, _pki, _pki.Client());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        _pki.Dispose();
    }

    [Fact]
    public async Task A_unary_call_answers_with_a_message_and_OK_in_the_trailers()
    {
        var answer = await _client.CallAsync(Check, Empty);

        answer.Message.ShouldBe([0x08, 1]);
        answer.Status.ShouldBe(0);
        answer.TrailersOnly.ShouldBeFalse();
        answer.ContentType.ShouldBe("application/grpc");
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc; charset=utf-8")]
    public async Task Every_content_type_of_gRPC_is_taken(string type) =>
        (await _client.CallAsync(Check, Empty, ("content-type", type))).Status.ShouldBe(0);

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    public async Task Another_content_type_is_refused_by_HTTP_itself(string type)
    {
        var answer = await _client.CallAsync(Check, Empty, ("content-type", type));

        answer.Http.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        answer.Status.ShouldBeNull();
    }

    [Fact]
    public async Task A_method_other_than_POST_is_refused_by_HTTP_itself() =>
        (await _client.CallAsync(Check, [], (":method", "GET"))).Http.ShouldBe(HttpStatusCode.MethodNotAllowed);

    [Theory]
    [InlineData("/grpc.health.v1.Health/Sing")]
    [InlineData("/none.at.All/Check")]
    [InlineData("/grpc.health.v1.health/Check")]
    [InlineData("/")]
    public async Task A_method_that_does_not_exist_is_UNIMPLEMENTED(string path)
    {
        var answer = await _client.CallAsync(path, Empty);

        answer.Http.ShouldBe(HttpStatusCode.OK);
        answer.Status.ShouldBe((int)GrpcStatusCode.Unimplemented);
        answer.TrailersOnly.ShouldBeTrue();
        answer.Body.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_error_message_is_percent_encoded()
    {
        var answer = await _client.CallAsync(Check, TestClient.Frame([0x0a, 4, .. "é 5%"u8[..4]]));

        answer.Status.ShouldBe((int)GrpcStatusCode.NotFound);
        answer.StatusMessage.ShouldBe("There is no service '%C3%A9 5'.");
    }

    [Fact]
    public async Task A_message_over_the_limit_is_RESOURCE_EXHAUSTED_without_waiting_for_it()
    {
        // Only its prefix is sent: four gigabytes are announced.
        var answer = await _client.CallAsync(Check, [0, 0xff, 0xff, 0xff, 0xff]);

        answer.Status.ShouldBe((int)GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task A_message_at_the_limit_is_taken()
    {
        // An unknown field that fills the message up to its last byte: tag, four bytes of length, the rest.
        var message = new byte[GrpcLimits.MaxMessage];
        var rest = message.Length - 5;
        message[0] = 0x7a;
        for (var i = 0; i < 4; i++)
            message[i + 1] = (byte)(((rest >> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0));

        (await _client.CallAsync(Check, TestClient.Frame(message))).Status.ShouldBe(0);
        (await _client.CallAsync(Check, TestClient.Frame([.. message, 0]))).Status.ShouldBe((int)GrpcStatusCode.ResourceExhausted);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0x0a }, GrpcStatusCode.Internal)] // cut off
    [InlineData(new byte[] { 0, 0 }, GrpcStatusCode.Internal)]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0x0a, 5 }, GrpcStatusCode.Internal)] // no message of that .proto
    [InlineData(new byte[] { 0, 0, 0, 0, 3, 0x0a, 1, 0xff }, GrpcStatusCode.Internal)] // not UTF-8
    [InlineData(new byte[] { }, GrpcStatusCode.Unimplemented)] // no request at all
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, GrpcStatusCode.Unimplemented)] // two of them
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, GrpcStatusCode.Internal)] // compressed, but nothing says how
    [InlineData(new byte[] { 7, 0, 0, 0, 0 }, GrpcStatusCode.Internal)]
    public async Task A_request_that_breaks_the_protocol_gets_the_status_that_the_specification_names(byte[] body, object status) =>
        (await _client.CallAsync(Check, body)).Status.ShouldBe((int)(GrpcStatusCode)status);

    [Fact]
    public async Task A_compressed_message_is_UNIMPLEMENTED_and_told_what_is_accepted()
    {
        var answer = await _client.CallAsync(Check, TestClient.Frame([], compressed: 1), ("grpc-encoding", "gzip"));

        answer.Status.ShouldBe((int)GrpcStatusCode.Unimplemented);
        answer.AcceptEncoding.ShouldBe("identity");
        answer.StatusMessage!.ShouldContain("gzip");
    }

    [Fact]
    public async Task A_client_that_could_compress_but_did_not_is_served() =>
        (await _client.CallAsync(Check, Empty, ("grpc-encoding", "gzip"))).Status.ShouldBe(0);

    [Fact]
    public async Task A_deadline_ends_a_stream_with_DEADLINE_EXCEEDED()
    {
        var answer = await _client.CallAsync(Watch, Empty, ("grpc-timeout", "300m"));

        answer.Message.ShouldBe([0x08, 1]);
        answer.Status.ShouldBe((int)GrpcStatusCode.DeadlineExceeded);
        answer.TrailersOnly.ShouldBeFalse();
    }

    [Fact]
    public async Task A_deadline_in_the_past_fails_before_the_method_runs()
    {
        var answer = await _client.CallAsync(Watch, Empty, ("grpc-timeout", "0n"));

        answer.Status.ShouldBe((int)GrpcStatusCode.DeadlineExceeded);
        answer.TrailersOnly.ShouldBeTrue();
        answer.Body.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_malformed_deadline_is_refused() =>
        (await _client.CallAsync(Check, Empty, ("grpc-timeout", "soon"))).Status.ShouldBe((int)GrpcStatusCode.Internal);

    [Fact]
    public async Task A_watch_sends_what_changes_as_it_changes()
    {
        using var response = await _client.SendAsync(Watch, TestClient.Frame([0x0a, 1, (byte)'x']));
        using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

        (await NextAsync(stream)).ShouldBe([0x08, 3]);
        _gateway.Health.Set("x", OpenShell.Gateway.Health.ServingStatus.Serving);
        (await NextAsync(stream)).ShouldBe([0x08, 1]);
        _gateway.Health.Set("x", OpenShell.Gateway.Health.ServingStatus.NotServing);
        (await NextAsync(stream)).ShouldBe([0x08, 2]);
    }

    [Fact]
    public async Task A_watch_learns_of_the_shutdown_and_ends_with_UNAVAILABLE()
    {
        using var response = await _client.SendAsync(Watch, Empty);
        using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        (await NextAsync(stream)).ShouldBe([0x08, 1]);

        var stopped = _gateway.StopAsync();

        (await NextAsync(stream)).ShouldBe([0x08, 2]);
        (await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken)).ShouldBe(0);
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["14"]);
        await stopped.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_watch_and_nobody_elses()
    {
        var leaving = await _client.SendAsync(Watch, Empty);
        using var staying = await _client.SendAsync(Watch, Empty);
        using var stream = await staying.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        (await NextAsync(stream)).ShouldBe([0x08, 1]);

        leaving.Dispose();

        _gateway.Health.Set("", OpenShell.Gateway.Health.ServingStatus.NotServing);
        (await NextAsync(stream)).ShouldBe([0x08, 2]);
    }

    [Fact]
    public async Task Many_calls_at_once_share_a_connection()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => _client.CallAsync(Check, Empty)));

        answers.ShouldAllBe(answer => answer.Status == 0);
    }

    private static async Task<byte[]> NextAsync(Stream stream)
    {
        var prefix = new byte[5];
        await stream.ReadExactlyAsync(prefix, TestContext.Current.CancellationToken);
        var message = new byte[prefix[4]];
        await stream.ReadExactlyAsync(message, TestContext.Current.CancellationToken);
        return message;
    }
}

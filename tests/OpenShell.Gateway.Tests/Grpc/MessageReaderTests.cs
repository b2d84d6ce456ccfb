using System.IO.Pipelines;
using OpenShell.Gateway.Grpc;

namespace OpenShell.Gateway.Tests.Grpc;

public sealed class MessageReaderTests
{
    [Fact]
    public async Task Messages_are_found_wherever_the_frames_are_cut()
    {
        byte[] stream = [.. TestClient.Frame([1, 2, 3]), .. TestClient.Frame([]), .. TestClient.Frame([4])];
        for (var size = 1; size <= stream.Length; size++)
        {
            var pipe = new Pipe();
            var reader = new MessageReader(pipe.Reader, null);
            var messages = Task.Run(async () =>
            {
                var found = new List<byte[]>();
                while (await reader.ReadAsync(CancellationToken.None) is { } message)
                    found.Add(message);
                return found;
            }, TestContext.Current.CancellationToken);
            foreach (var chunk in stream.Chunk(size))
                await pipe.Writer.WriteAsync(chunk, TestContext.Current.CancellationToken);
            await pipe.Writer.CompleteAsync();

            (await messages).ShouldBe([[1, 2, 3], [], [4]]);
        }
    }

    [Fact]
    public async Task A_message_that_is_too_long_is_refused_before_it_has_come()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 0, 0x00, 0x40, 0x00, 0x01 }, TestContext.Current.CancellationToken);

        var refusal = await Should.ThrowAsync<GrpcException>(async () => await new MessageReader(pipe.Reader, null).ReadAsync(TestContext.Current.CancellationToken));

        refusal.Status.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }
}

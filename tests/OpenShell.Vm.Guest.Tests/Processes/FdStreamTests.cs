using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Tests.Processes;

public sealed class FdStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Bytes_go_through_a_pipe_that_is_smaller_than_they_are()
    {
        var (read, write) = AnonymousPipe.Create();
        await using var reader = new FdStream(read);
        var sent = new byte[1_000_000];
        new Random(1).NextBytes(sent);
        var writing = Task.Run(async () =>
        {
            await using var writer = new FdStream(write);
            await writer.WriteAsync(sent, Token);
        }, Token);

        using var received = new MemoryStream();
        await reader.CopyToAsync(received, Token);

        await writing;
        received.ToArray().SequenceEqual(sent).ShouldBeTrue();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_read_that_was_cancelled_loses_no_byte_and_no_wakeup()
    {
        var (read, write) = AnonymousPipe.Create();
        await using var reader = new FdStream(read);
        await using var writer = new FdStream(write);
        var buffer = new byte[1];
        for (var i = 0; i < 500; i++)
        {
            using var cancel = new CancellationTokenSource();
            var reading = reader.ReadAsync(buffer, cancel.Token).AsTask();
            var cancelling = Task.Run(cancel.Cancel, Token);
            await writer.WriteAsync(new[] { (byte)i }, Token);
            await cancelling;
            try
            {
                await reading;
            }
            catch (OperationCanceledException)
            {
                await reader.ReadExactlyAsync(buffer, Token);
            }
            buffer[0].ShouldBe((byte)i);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Writing_to_a_pipe_that_nobody_reads_any_more_fails_and_does_not_kill()
    {
        var (read, write) = AnonymousPipe.Create();
        await using var writer = new FdStream(write);
        read.Dispose();

        // A child that another test is just starting has the reading end too, until its exec.
        var writing = async () =>
        {
            while (true)
            {
                await writer.WriteAsync(new byte[1], Token);
                await Task.Delay(1, Token);
            }
        };
        (await writing.ShouldThrowAsync<IOException>()).Message.ShouldContain("broken pipe");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_writer_that_waits_for_room_learns_that_the_reader_is_gone()
    {
        var (read, write) = AnonymousPipe.Create();
        await using var writer = new FdStream(write);
        var writing = writer.WriteAsync(new byte[1_000_000], Token).AsTask();
        read.Dispose();

        await Should.ThrowAsync<IOException>(writing);
    }

    [Fact(Timeout = 30_000)]
    public async Task Closing_wakes_a_reader()
    {
        var (read, write) = AnonymousPipe.Create();
        using var keep = write;
        var reader = new FdStream(read);
        var reading = reader.ReadAsync(new byte[1], Token).AsTask();
        await reader.DisposeAsync();

        await Should.ThrowAsync<ObjectDisposedException>(reading);
    }
}

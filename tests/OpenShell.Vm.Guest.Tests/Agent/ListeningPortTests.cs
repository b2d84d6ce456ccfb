using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Tests.Agent;

public sealed class ListeningPortTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ListeningPortTests()
    {
        _socket.Bind(new UnixDomainSocketEndPoint(_folder.File("s")));
        _socket.Listen();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _socket.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 30_000)]
    public async Task Each_caller_is_a_stream_of_its_own_and_the_next_may_call_before_the_last_has_gone()
    {
        using var port = Port(_ => true);
        using var first = await CallAsync();
        await using var one = await port.OpenAsync(Token);
        using var second = await CallAsync();
        await using var two = await port.OpenAsync(Token);

        await second.SendAsync("two"u8.ToArray(), Token);
        await first.SendAsync("one"u8.ToArray(), Token);
        (await ReadAsync(one)).ShouldBe("one");
        (await ReadAsync(two)).ShouldBe("two");
        first.Dispose();
        (await ReadAsync(one)).ShouldBe("");
    }

    [Fact(Timeout = 30_000)]
    public async Task Whoever_is_not_the_host_is_hung_up_on()
    {
        var calls = 0;
        using var port = Port(_ => ++calls > 1);
        var opening = port.OpenAsync(Token).AsTask();
        using var stranger = await CallAsync();
        (await stranger.ReceiveAsync(new byte[1], Token)).ShouldBe(0);
        opening.IsCompleted.ShouldBeFalse();

        using var host = await CallAsync();
        await using var stream = await opening;
        await host.SendAsync("hello"u8.ToArray(), Token);
        (await ReadAsync(stream)).ShouldBe("hello");
    }

    [Fact(Timeout = 30_000)]
    public async Task Waiting_can_be_given_up()
    {
        using var port = Port(_ => true);
        using var given = new CancellationTokenSource();
        var opening = port.OpenAsync(given.Token).AsTask();
        await given.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => opening);
    }

    [Theory]
    [InlineData(40, 2u, true)]
    [InlineData(40, 1u, false)]
    [InlineData(40, 3u, false)]
    [InlineData(1, 2u, false)]
    public void The_host_is_known_by_its_CID(int family, uint cid, bool isHost) =>
        VsockSocket.IsHost([(byte)family, 0, 0, 0, .. BitConverter.GetBytes(4711), .. BitConverter.GetBytes(cid), 0, 0, 0, 0]).ShouldBe(isHost);

    [Fact]
    public void A_caller_without_a_whole_address_is_nobody() => VsockSocket.IsHost([40, 0]).ShouldBeFalse();

    [Fact]
    public void A_vsock_port_is_listened_on_once()
    {
        const int Port = 10777 + 100_000;
        SafeFileHandle? first = null;
        try
        {
            first = VsockSocket.Listen(Port);
        }
        catch (IOException e)
        {
            Assert.Skip($"This kernel lends no vsock: {e.Message}.");
        }

        using (first)
            Should.Throw<IOException>(() => VsockSocket.Listen(Port)).Message.ShouldStartWith("vsock bind");
    }

    // The port owns its descriptor, the socket here keeps another of the same listener.
    private ListeningPort Port(Func<byte[], bool> isHost) => new(new SafeFileHandle(Libc.fcntl((int)_socket.Handle, Libc.F_DUPFD_CLOEXEC, 0), ownsHandle: true), isHost);

    private async Task<Socket> CallAsync()
    {
        var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await caller.ConnectAsync(new UnixDomainSocketEndPoint(_folder.File("s")), Token);
        return caller;
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        var buffer = new byte[16];
        return System.Text.Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer, Token));
    }
}

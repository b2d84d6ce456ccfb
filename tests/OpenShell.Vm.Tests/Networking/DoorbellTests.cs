using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Networking;

public sealed class DoorbellTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_caller_rings_and_is_carried_to_who_listens_there_then()
    {
        var port = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0);
        await using var bell = Doorbell.Listen([new PortForward { HostAddress = "127.0.0.1", HostPort = port, GuestPort = 80 }], _ => { });
        bell.Rung.IsCompleted.ShouldBeFalse();

        using var caller = new TcpClient();
        await caller.ConnectAsync(IPAddress.Loopback, port, Token);
        var stream = caller.GetStream();
        await stream.WriteAsync("hello"u8.ToArray(), Token);
        (await bell.Rung.WaitAsync(TimeSpan.FromSeconds(30), Token)).ShouldContain($":{port}");

        await bell.CloseAsync();
        using var server = new TcpListener(IPAddress.Loopback, port);
        server.Start();
        var carried = bell.CarryAsync(Token);
        using var accepted = await server.AcceptTcpClientAsync(Token);
        var buffer = new byte[5];
        await accepted.GetStream().ReadExactlyAsync(buffer, Token);
        Encoding.ASCII.GetString(buffer).ShouldBe("hello");

        // Each direction ends for itself.
        caller.Client.Shutdown(SocketShutdown.Send);
        (await accepted.GetStream().ReadAsync(buffer, Token)).ShouldBe(0);
        await accepted.GetStream().WriteAsync("there"u8.ToArray(), Token);
        accepted.Close();
        await stream.ReadExactlyAsync(buffer, Token);
        Encoding.ASCII.GetString(buffer).ShouldBe("there");
        await carried.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_port_that_somebody_else_has_is_told_and_the_others_are_listened_on()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = ((IPEndPoint)other.LocalEndpoint).Port;
        var free = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0);
        var said = new List<string>();
        await using var bell = Doorbell.Listen([Forward(taken), Forward(free)], said.Add);
        said.ShouldHaveSingleItem().ShouldContain($"{taken}");
        using var caller = new TcpClient();
        await caller.ConnectAsync(IPAddress.Loopback, free, Token);
        await bell.Rung.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_socket_rings_as_a_port_does_and_is_given_back()
    {
        using var folder = new TestFolder();
        var path = folder.File("web.sock");
        var forward = new PortForward { Protocol = PortProtocol.Unix, HostSocket = path, HostPort = 0, GuestPort = 80 };
        var end = new UnixDomainSocketEndPoint(path);
        await using var bell = Doorbell.Listen([forward], _ => { });
        ForwardedConnections.Any([forward]).ShouldBeFalse();

        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await caller.ConnectAsync(end, Token);
        await caller.SendAsync("hello"u8.ToArray(), Token);
        (await bell.Rung.WaitAsync(TimeSpan.FromSeconds(30), Token)).ShouldBe(path);
        ForwardedConnections.Any([forward]).ShouldBeTrue();

        await bell.CloseAsync();
        File.Exists(path).ShouldBeFalse();
        var carried = bell.CarryAsync(Token);
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(end);
        server.Listen();
        using var accepted = await server.AcceptAsync(Token);
        var buffer = new byte[5];
        (await accepted.ReceiveAsync(buffer, Token)).ShouldBe(5);
        accepted.Close();
        caller.Close();
        await carried.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Theory]
    [InlineData("  0: 0100007F:7563 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 1 1", true)]
    [InlineData("  0: 0100007F:D2F0 0100007F:7563 06 00000000:00000000 00:00000000 00000000     0        0 1 1", true)]
    [InlineData("  0: 0100007F:7563 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1", false)]
    [InlineData("  0: 0100007F:7564 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 1 1", false)]
    [InlineData("  sl  local_address rem_address   st tx_queue", false)]
    [InlineData("", false)]
    public void Connections_are_read_as_the_kernel_writes_them(string line, bool counts) =>
        ForwardedConnections.IsOneOf(new HashSet<int> { 0x7563 }, line).ShouldBe(counts);

    [Fact]
    public async Task A_connection_to_a_forwarded_port_counts_while_it_is_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "connections are read from /proc/net/tcp");
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var forward = Forward(((IPEndPoint)server.LocalEndpoint).Port);
        ForwardedConnections.Any([forward]).ShouldBeFalse();
        using var caller = new TcpClient();
        await caller.ConnectAsync(IPAddress.Loopback, forward.HostPort, Token);
        ForwardedConnections.Any([forward]).ShouldBeTrue();
    }

    [Fact]
    public async Task A_caller_that_comes_while_it_wakes_waits_until_that_port_is_given_back_and_is_answered_as_the_first()
    {
        var (forward, other) = (Forward(PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0)), Forward(PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0)));
        await using var bell = Doorbell.Listen([forward, other], _ => { });
        using var first = new TcpClient();
        await first.ConnectAsync(IPAddress.Loopback, forward.HostPort, Token);
        await bell.Rung.WaitAsync(TimeSpan.FromSeconds(30), Token);

        // It has rung, and nobody listens behind it yet.
        using var second = new TcpClient();
        await second.ConnectAsync(IPAddress.Loopback, forward.HostPort, Token);
        NetworkStream[] streams = [first.GetStream(), second.GetStream()];
        await streams[1].WriteAsync("second"u8.ToArray(), Token);
        (bell.Holds(forward), bell.Holds(other)).ShouldBe((true, true));
        await bell.GiveBackAsync(forward);
        (bell.Holds(forward), bell.Holds(other)).ShouldBe((false, true));

        using var server = new TcpListener(IPAddress.Loopback, forward.HostPort);
        server.Start();
        var carried = bell.CarryAsync(Token);
        var heard = new List<string>();

        // The first says nothing, and is there all the same.
        first.Client.Shutdown(SocketShutdown.Send);
        second.Client.Shutdown(SocketShutdown.Send);
        while (heard.Count < 2)
        {
            using var accepted = await server.AcceptTcpClientAsync(Token);
            using var reader = new StreamReader(accepted.GetStream());
            heard.Add(await reader.ReadToEndAsync(Token));
            await accepted.GetStream().WriteAsync("answer"u8.ToArray(), Token);
        }

        heard.ShouldBe(["", "second"], ignoreOrder: true);
        foreach (var stream in streams)
        {
            using var reader = new StreamReader(stream);
            (await reader.ReadToEndAsync(Token)).ShouldBe("answer");
        }

        await carried.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_question_of_our_own_counts_as_nobodys_use_also_while_its_handshake_hangs()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "connections are read from /proc/net/tcp");
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var forward = Forward(((IPEndPoint)server.LocalEndpoint).Port);
        var probes = new ForwardProbes();
        var asked = probes.AnswersAsync(forward, TimeSpan.FromMinutes(5), Token);
        using var accepted = await server.AcceptTcpClientAsync(Token);

        ForwardedConnections.Any([forward]).ShouldBeTrue();
        ForwardedConnections.Any([forward], () => probes.OpenPorts).ShouldBeFalse();
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(IPAddress.Loopback, forward.HostPort, Token);
            ForwardedConnections.Any([forward], () => probes.OpenPorts).ShouldBeTrue();
            caller.LingerState = new LingerOption(true, 0);
        }

        // No TLS is an answer as well, and nothing is left of the question.
        await accepted.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), Token);
        (await asked.WaitAsync(TimeSpan.FromSeconds(30), Token)).ShouldBeTrue();
        probes.OpenPorts.ShouldBeEmpty();
        await Eventually.BeTrueAsync(() => !ForwardedConnections.Any([forward]), "its connections are gone");
    }

    private static PortForward Forward(int port) => new() { HostAddress = "127.0.0.1", HostPort = port, GuestPort = 80 };
}

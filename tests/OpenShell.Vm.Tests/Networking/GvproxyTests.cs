using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Networking;

/// <summary>With a real gvproxy.</summary>
public sealed class GvproxyTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private ChildProcess? _gvproxy;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var files = _folder.Instance();
        _gvproxy = ChildProcess.Start(GvproxyCommandLine.Describe(RealTools.Gvproxy, files));
        await UnixSocket.WaitForFileAsync(files.NetworkControlSocket, Cancellation).WaitAsync(Eventually.Limit, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_gvproxy is not null)
            await _gvproxy.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_forward_is_opened_listed_and_closed()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { HostPort = FreePort(), GuestPort = 30051 };
        await client.ExposeAsync(forward, Cancellation);
        (await client.ListAsync(Cancellation)).ShouldBe([forward]);
        PortPlanner.IsFree("127.0.0.1", forward.HostPort).ShouldBeFalse();

        // On the loopback alone.
        PortPlanner.IsFree("127.0.0.2", forward.HostPort).ShouldBeTrue();

        await client.UnexposeAsync(forward, Cancellation);
        (await client.ListAsync(Cancellation)).ShouldBeEmpty();
        PortPlanner.IsFree("127.0.0.1", forward.HostPort).ShouldBeTrue();
    }

    [Fact]
    public async Task A_busy_port_is_a_fault_that_names_who_has_it()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var fault = (await Should.ThrowAsync<FaultException>(() => client.ExposeAsync(new PortForward { HostPort = port, GuestPort = 80 }, Cancellation))).Faults[0];
        fault.Code.ShouldBe("network.port-busy");
        fault.What.ShouldContain($"pid {Environment.ProcessId}");
    }

    [Theory]
    [InlineData("127.0.0.1", PortProtocol.Udp)]
    [InlineData("::1", PortProtocol.Tcp)]
    [InlineData("::1", PortProtocol.Udp)]
    public async Task Udp_and_ipv6_are_forwarded_too(string address, PortProtocol protocol)
    {
        int port;
        try
        {
            port = PortCheck.Bind(protocol, address, 0);
        }
        catch (SocketException e)
        {
            Assert.Skip($"this host has no {address}: {e.Message}");
            return;
        }

        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { Protocol = protocol, HostAddress = address, HostPort = port, GuestPort = 53 };
        await client.ExposeAsync(forward, Cancellation);
        (await client.ListAsync(Cancellation)).ShouldBe([forward]);
        PortCheck.IsFree(protocol, address, port).ShouldBeFalse();
        PortHolder.Find(IPAddress.Parse(address), port, protocol).ShouldNotBeNull().ShouldContain("gvproxy");
        await client.UnexposeAsync(forward, Cancellation);
        PortCheck.IsFree(protocol, address, port).ShouldBeTrue();
    }

    [Fact]
    public async Task A_unix_socket_is_forwarded_and_one_that_nobody_listens_on_is_no_obstacle()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = _folder.File("web.sock"), GuestPort = 80 };
        await client.ExposeAsync(forward, Cancellation);
        (await client.ListAsync(Cancellation)).ShouldBe([forward]);
        PortCheck.WhyNot(forward, "a test").ShouldNotBeNull().Code.ShouldBe("network.port-busy");
        await _gvproxy!.DisposeAsync();
        File.Exists(forward.HostSocket).ShouldBeTrue("a process that is killed leaves its socket's file behind, and the link to it");
        PortCheck.WhyNot(forward, "a test").ShouldBeNull();

        _gvproxy = ChildProcess.Start(GvproxyCommandLine.Describe(RealTools.Gvproxy, RemovedSockets(_folder.Instance())));
        await UnixSocket.WaitForFileAsync(_folder.Instance().NetworkControlSocket, Cancellation).WaitAsync(Eventually.Limit, Cancellation);
        using var again = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        await again.ExposeAsync(forward, Cancellation);
        await again.UnexposeAsync(forward, Cancellation);
        (await again.ListAsync(Cancellation)).ShouldBeEmpty();
        File.Exists(forward.HostSocket).ShouldBeFalse();
    }

    [Fact]
    public async Task A_socket_whose_link_was_removed_is_not_in_force_and_can_be_made_again()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = _folder.File("web.sock"), GuestPort = 80 };
        await client.ExposeAsync(forward, Cancellation);
        File.Delete(forward.HostSocket);
        (await client.ListAsync(Cancellation)).ShouldBeEmpty();
        await client.UnexposeAsync(forward, Cancellation);
        await client.ExposeAsync(forward, Cancellation);
        (await client.ListAsync(Cancellation)).ShouldBe([forward]);
        (await UnixSocket.ConnectAsync(forward.HostSocket, Cancellation)).Dispose();
    }

    [Fact]
    public async Task Who_is_at_a_forwarded_socket_is_seen()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = _folder.File("web.sock"), GuestPort = 80 };
        await client.ExposeAsync(forward, Cancellation);
        ForwardedConnections.Any([forward]).ShouldBeFalse();

        // gvproxy looks for the guest, which is not there, for seconds.
        using var caller = await UnixSocket.ConnectAsync(forward.HostSocket, Cancellation);
        await Eventually.BeTrueAsync(() => ForwardedConnections.Any([forward]), "the connection is seen");
    }

    [Fact]
    public async Task A_link_of_somebody_elses_is_left_alone()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var forward = new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = _folder.File("web.sock"), GuestPort = 80 };
        File.CreateSymbolicLink(forward.HostSocket, _folder.File("not-there.sock"));
        (await Should.ThrowAsync<FaultException>(() => client.ExposeAsync(forward, Cancellation))).Faults[0].What.ShouldContain(forward.HostSocket);
        new FileInfo(forward.HostSocket).LinkTarget.ShouldBe(_folder.File("not-there.sock"));
        (await client.ListAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Told_by_its_guest_it_touches_no_file_of_the_host()
    {
        Assert.SkipWhen(Landlock.Version == 0, "this kernel has no Landlock");
        _gvproxy!.IsConfined.ShouldBeTrue();
        var victim = _folder.File("victim.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(victim));
        listener.Listen();

        // What a guest can ask of it at 192.168.127.1:80 is what its own socket takes.
        (await ExposeAsync(victim)).ShouldContain("permission denied");
        (await ExposeAsync(_folder.File("new.sock"))).ShouldContain("permission denied");
        File.Exists(_folder.File("new.sock")).ShouldBeFalse();
        (await UnixSocket.ConnectAsync(victim, Cancellation)).Dispose();
        (await listener.AcceptAsync(Cancellation)).Dispose();
    }

    private async Task<string> ExposeAsync(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => new NetworkStream(await UnixSocket.ConnectAsync(_folder.Instance().NetworkControlSocket, cancellationToken), ownsSocket: true),
        });
        using var response = await http.PostAsync("http://gvproxy/services/forwarder/expose", new StringContent($$"""{"local":"{{path}}","remote":"tcp://192.168.127.2:80","protocol":"unix"}"""), Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    [Fact]
    public void A_socket_goes_where_it_can_be_made()
    {
        File.WriteAllText(_folder.File("plain"), "");
        Why(_folder.File("no/folder/web.sock")).ShouldContain("there is no folder");
        Why(_folder.File("plain")).ShouldContain("is no socket");
        Why(_folder.File(new string('x', 200))).ShouldContain("bytes; the system allows");

        static string Why(string path) => PortCheck.WhyNot(new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = path, GuestPort = 80 }, "a test").ShouldNotBeNull().What;
    }

    private static InstanceFiles RemovedSockets(InstanceFiles files)
    {
        File.Delete(files.NetworkSocket);
        File.Delete(files.NetworkControlSocket);
        return files;
    }

    [Fact]
    public async Task Unexposing_what_was_never_exposed_is_refused()
    {
        using var client = new GvproxyClient(_folder.Instance().NetworkControlSocket);
        var fault = (await Should.ThrowAsync<FaultException>(() => client.UnexposeAsync(new PortForward { HostPort = FreePort(), GuestPort = 80 }, Cancellation))).Faults[0];
        fault.Code.ShouldBe("network.forward-refused");
    }

    [Fact]
    public async Task It_ends_when_its_guest_goes_and_its_code_says_nothing()
    {
        var files = _folder.Instance();
        (await UnixSocket.ConnectAsync(files.NetworkSocket, Cancellation)).Dispose();
        (await _gvproxy!.Exited.WaitAsync(Eventually.Limit, Cancellation)).Code.ShouldBe(0);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

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

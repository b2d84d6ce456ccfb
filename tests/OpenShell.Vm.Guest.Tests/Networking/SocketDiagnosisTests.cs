using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Networking;

namespace OpenShell.Vm.Guest.Tests.Networking;

/// <summary>This host's kernel is asked; only connections of the test itself are ended.</summary>
public sealed class SocketDiagnosisTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
    private readonly TcpClient _client = new(AddressFamily.InterNetwork);
    private Socket _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _server?.Dispose();
        _client.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task The_kernel_names_both_ends_of_a_connection_also_that_of_a_socket_of_IPv6()
    {
        await ConnectAsync();
        using var diagnosis = new SocketDiagnosis();

        var peers = List(diagnosis).Select(c => c.Peer).ToArray();

        peers.ShouldContain((IPEndPoint)_client.Client.RemoteEndPoint!);
        peers.ShouldContain((IPEndPoint)_client.Client.LocalEndPoint!);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_connection_that_is_ended_is_reset_and_ending_it_again_is_no_error()
    {
        await ConnectAsync();
        using var diagnosis = new SocketDiagnosis();
        var ours = List(diagnosis).Single(c => c.Peer.Equals(_client.Client.LocalEndPoint));

        try
        {
            diagnosis.End(ours);
        }
        catch (IOException cannot)
        {
            Assert.Skip("this kernel ends no connections, or not for us: " + cannot.Message);
        }

        await Should.ThrowAsync<SocketException>(async () => await _server.ReceiveAsync(new byte[1], Token));
        diagnosis.End(ours);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("192.168.127.2", false)]
    [InlineData("10.42.0.7", false)]
    [InlineData("10.43.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("192.168.127.1", true)]
    [InlineData("10.44.0.1", true)]
    [InlineData("fe80::1", true)]
    public void Outside_is_what_is_neither_this_machine_nor_in_it(string address, bool outside) =>
        OutsideConnections.IsOutside(IPAddress.Parse(address), "192.168.127.2").ShouldBe(outside);

    [Fact(Timeout = 60_000)]
    public async Task Of_a_pods_network_connections_to_the_outside_are_cut_and_no_others()
    {
        // As a pod has it: a network of its own, with a program that is connected to its own side, to the gateway, and to the outside; here all of them are itself.
        const string Pod = """
            import socket, subprocess, sys
            for command in ("link set lo up", "address add 203.0.113.7/32 dev lo", "address add 192.168.127.1/32 dev lo"):
                subprocess.run(["ip", *command.split()], check=True)
            def connect(address):
                listener = socket.create_server((address, 0))
                client = socket.create_connection(listener.getsockname())
                return client, listener.accept()[0]
            kept = [connect("127.0.0.1"), connect("192.168.127.1")]
            cut = connect("203.0.113.7")
            print("connected", flush=True)
            try:
                cut[0].recv(1)
            except OSError:
                print("cut", flush=True)
            for one, other in kept:
                one.sendall(b"x")
                print("kept" if other.recv(1) == b"x" else "lost", flush=True)
            """;
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare") && Path.Exists("/usr/bin/python3"), "needs root, unshare and Python");
        using var pod = Process.Start(new ProcessStartInfo("/usr/bin/unshare", ["--net", "/usr/bin/python3", "-c", Pod]) { RedirectStandardOutput = true })!;
        try
        {
            (await pod.StandardOutput.ReadLineAsync(Token)).ShouldBe("connected");
            var problems = OutsideConnections.CutIn([$"/proc/{pod.Id}/ns/net", "/run/netns/of-a-pod-that-is-gone"], "192.168.127.2", "192.168.127.1");
            Assert.SkipWhen(problems.Count > 0, string.Join("; ", problems));

            (await pod.StandardOutput.ReadToEndAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["cut", "kept", "kept"]);
        }
        finally
        {
            pod.Kill();
        }

        // This thread, and whatever it asks next, is where it was.
        await ConnectAsync();
        using var diagnosis = new SocketDiagnosis();
        List(diagnosis).Select(c => c.Peer).ShouldContain((IPEndPoint)_client.Client.LocalEndPoint!);
    }

    private async Task ConnectAsync()
    {
        _listener.Start();
        await _client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)_listener.LocalEndpoint).Port, Token);
        _server = await _listener.AcceptSocketAsync(Token);
    }

    private static IReadOnlyList<SocketDiagnosis.Connection> List(SocketDiagnosis diagnosis)
    {
        try
        {
            return diagnosis.List();
        }
        catch (IOException cannot)
        {
            Assert.Skip("this kernel lists no connections: " + cannot.Message);
            throw;
        }
    }
}

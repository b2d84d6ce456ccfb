using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Something on one address of the host that sends back each line that it gets, by TCP and by UDP, and remembers it.</summary>
internal sealed class EchoListeners : IDisposable
{
    private readonly TcpListener _tcp;
    private readonly UdpClient _udp;
    private readonly ConcurrentDictionary<string, bool> _heard = new();

    public EchoListeners(IPAddress address)
    {
        Address = address;
        _tcp = new TcpListener(address, 0);
        _tcp.Start();
        _udp = new UdpClient(new IPEndPoint(address, 0));
        _ = AcceptAsync();
        _ = AnswerAsync();
    }

    public IPAddress Address { get; }

    public int TcpPort => ((IPEndPoint)_tcp.LocalEndpoint).Port;

    public int UdpPort => ((IPEndPoint)_udp.Client.LocalEndPoint!).Port;

    /// <summary>The lines that came.</summary>
    public IReadOnlySet<string> Heard => _heard.Keys.ToHashSet();

    public void Dispose()
    {
        _tcp.Dispose();
        _udp.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = EchoAsync(await _tcp.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task EchoAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var reader = new StreamReader(client.GetStream());
                if (await reader.ReadLineAsync() is not { } line)
                    return;
                _heard[line] = true;
                await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // It went away.
            }
        }
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var datagram = await _udp.ReceiveAsync();
                _heard[Encoding.UTF8.GetString(datagram.Buffer).TrimEnd('\n')] = true;
                await _udp.SendAsync(datagram.Buffer, datagram.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }
}

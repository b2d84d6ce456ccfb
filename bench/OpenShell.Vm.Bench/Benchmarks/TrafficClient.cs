using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>This end of what is measured over a forwarded port. The server's requests stand in <c>traffic.c</c>.</summary>
internal static class TrafficClient
{
    private const int Part = 65536;

    /// <summary>Takes so many MiB from the server.</summary>
    /// <returns>MiB a second, from the request to the last byte.</returns>
    public static async Task<double> ReceiveAsync(int port, int mebibytes)
    {
        using var socket = await ConnectAsync(port);
        var buffer = new byte[Part];
        var left = (long)mebibytes << 20;
        var clock = Stopwatch.StartNew();
        await RequestAsync(socket, 's', left);
        while (left > 0)
            left -= await socket.ReceiveAsync(buffer) is > 0 and var n ? n : throw Cut();
        return mebibytes / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Sends so many MiB to the server.</summary>
    /// <returns>MiB a second, from the request to the server's word that it has all of it.</returns>
    public static async Task<double> SendAsync(int port, int mebibytes)
    {
        using var socket = await ConnectAsync(port);
        var buffer = new byte[Part];
        var left = (long)mebibytes << 20;
        var clock = Stopwatch.StartNew();
        await RequestAsync(socket, 'r', left);
        while (left > 0)
            left -= await socket.SendAsync(buffer.AsMemory(0, (int)Math.Min(left, Part)));
        if (await socket.ReceiveAsync(buffer) != 1)
            throw Cut();
        return mebibytes / clock.Elapsed.TotalSeconds;
    }

    /// <summary>One byte there and back on an open connection, again and again.</summary>
    /// <returns>Seconds each.</returns>
    public static async Task<List<double>> EchoAsync(int port, int times)
    {
        using var socket = await ConnectAsync(port);
        await RequestAsync(socket, 'e', times);
        var samples = new List<double>();
        for (var i = 0; i < times; i++)
            samples.Add(await RoundTripAsync(socket));
        return samples;
    }

    /// <summary>A connection for each byte: opened, there and back, closed.</summary>
    /// <returns>Seconds each.</returns>
    public static async Task<List<double>> ConnectionsAsync(int port, int times)
    {
        var samples = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var clock = Stopwatch.StartNew();
            using var socket = await ConnectAsync(port);
            await RequestAsync(socket, 'e', 1);
            await RoundTripAsync(socket);
            samples.Add(clock.Elapsed.TotalSeconds);
        }

        return samples;
    }

    private static async Task<double> RoundTripAsync(Socket socket)
    {
        var one = new byte[1];
        var clock = Stopwatch.StartNew();
        await socket.SendAsync(one);
        if (await socket.ReceiveAsync(one) != 1)
            throw Cut();
        return clock.Elapsed.TotalSeconds;
    }

    private static async Task RequestAsync(Socket socket, char what, long count)
    {
        var request = new byte[9];
        request[0] = (byte)what;
        BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(1), count);
        await socket.SendAsync(request);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    private static BenchException Cut() => new("The server of the benchmark hung up.");
}

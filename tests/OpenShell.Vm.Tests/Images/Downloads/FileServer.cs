using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenShell.Vm.Tests.Images.Downloads;

/// <summary>An HTTP server on loopback with one file, that can misbehave: written on sockets, since no real server can be told to break off in the middle.</summary>
internal sealed class FileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly List<string> _requests = [];

    public FileServer(byte[] content)
    {
        Content = content;
        _listener.Start();
        _ = AcceptAsync();
    }

    public byte[] Content { get; set; }

    /// <summary>Whether <c>Range</c> is understood.</summary>
    public bool Ranges { get; set; } = true;

    /// <summary>How many bytes of each answer's body are sent before the connection is closed; a stalled one is left open instead.</summary>
    public int? BreakAfter { get; set; }

    /// <summary>Keep the connection open and silent where it would break.</summary>
    public bool Stalls { get; set; }

    /// <summary>Misbehave only for so many answers.</summary>
    public int Misbehaviours { get; set; } = int.MaxValue;

    public int Status { get; set; } = 200;

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1%2Bk3s1/k3s");

    /// <summary>The first line and the <c>Range</c> header of each request.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    // Twice where a test takes it away early. The source of the end has no timer and no handle: nothing to dispose.
    public void Dispose()
    {
        if (_ended.IsCancellationRequested)
            return;
        _ended.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var _ = client;
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, leaveOpen: true);
            var first = await reader.ReadLineAsync(_ended.Token);
            string? range = null;
            while (await reader.ReadLineAsync(_ended.Token) is { Length: > 0 } header)
                range = header.StartsWith("Range:", StringComparison.OrdinalIgnoreCase) ? header : range;
            lock (_requests)
                _requests.Add($"{first} {range}".Trim());
            await AnswerAsync(stream, first?.StartsWith("HEAD", StringComparison.Ordinal) == true, range);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone, or the test is over.
        }
    }

    private async Task AnswerAsync(NetworkStream stream, bool headOnly, string? range)
    {
        var from = Ranges && range is not null ? int.Parse(range.Split('=')[1].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
        var status = Status != 200 ? Status : from > 0 && from >= Content.Length ? 416 : from > 0 ? 206 : 200;
        var body = status is 200 or 206 ? Content.AsMemory(from) : Memory<byte>.Empty;
        var headers = $"HTTP/1.1 {status} x\r\nContent-Length: {body.Length}\r\nConnection: close\r\n" + (status == 206 ? $"Content-Range: bytes {from}-{Content.Length - 1}/{Content.Length}\r\n" : "") + "\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(headers), _ended.Token);
        if (headOnly)
            return;
        if (BreakAfter is { } limit && limit < body.Length && Misbehaviours-- > 0)
        {
            await stream.WriteAsync(body[..limit], _ended.Token);
            if (Stalls)
                await Task.Delay(Timeout.Infinite, _ended.Token);
            return;
        }

        await stream.WriteAsync(body, _ended.Token);
    }
}

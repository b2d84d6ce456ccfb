using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Guest.Cluster;

namespace OpenShell.Vm.Guest.Services;

/// <summary>Asks a service whether it does its work.</summary>
/// <param name="tls">Whether an <c>https</c> URL answers 200, with the cluster's trust and identity; <see langword="null"/> where there is no cluster.</param>
internal sealed class HealthProbe(Func<string, CancellationToken, Task<bool>>? tls = null)
{
    // A healthy service answers in milliseconds; on an emulated processor, while everything else starts, in seconds. Asking again sooner is more work for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Asks once.</summary>
    public async Task<bool> AskAsync(HealthCheck check, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            return check switch
            {
                HealthCheck.Process => true,
                HealthCheck.UnixSocket unix => await ConnectAsync(new UnixDomainSocketEndPoint(unix.Path), null, patience.Token).ConfigureAwait(false),
                HealthCheck.UnixHttp unix => await ConnectAsync(new UnixDomainSocketEndPoint(unix.Socket), unix.Path, patience.Token).ConfigureAwait(false),
                HealthCheck.Tcp tcp => await ConnectAsync(new IPEndPoint(IPAddress.Parse(tcp.Address), tcp.Port), null, patience.Token).ConfigureAwait(false),
                HealthCheck.Http http => await ConnectAsync(new IPEndPoint(IPAddress.Loopback, http.Port), http.Path, patience.Token).ConfigureAwait(false),
                HealthCheck.Https https => tls is not null && await tls($"https://127.0.0.1:{https.Port}{https.Path}", patience.Token).ConfigureAwait(false),
                HealthCheck.Api asked => tls is not null && await tls(ClusterLayout.ApiServer + asked.Path, patience.Token).ConfigureAwait(false),
                _ => throw new ArgumentOutOfRangeException(nameof(check), check, "Not a known check."),
            };
        }
        catch (Exception exception) when (exception is SocketException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private static async Task<bool> ConnectAsync(EndPoint where, string? path, CancellationToken cancellationToken)
    {
        using var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(where, cancellationToken).ConfigureAwait(false);
        if (path is null)
            return true;
        // HTTP/1.0 (RFC 1945): the server closes, and the status line is all that is read.
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"), cancellationToken).ConfigureAwait(false);
        var answer = new byte[64];
        var length = 0;
        while (length < answer.Length && await socket.ReceiveAsync(answer.AsMemory(length), cancellationToken).ConfigureAwait(false) is > 0 and var read)
            length += read;
        // "HTTP/1.0 200 OK"
        return Encoding.ASCII.GetString(answer, 0, length).Split(' ') is [_, "200", ..];
    }
}

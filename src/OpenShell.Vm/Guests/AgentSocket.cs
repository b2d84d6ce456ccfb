using System.Diagnostics;
using System.Net.Sockets;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Guests;

/// <summary>Connects to a Unix socket that may be about to appear.</summary>
internal static class AgentSocket
{
    /// <summary>QEMU's socket file appears a moment before it accepts; nobody announces that moment, hence short pauses.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>How long a full queue is waited for: somebody is there who empties it.</summary>
    private static readonly TimeSpan BusyPatience = TimeSpan.FromSeconds(30);

    /// <param name="path">The socket.</param>
    /// <param name="patience">How long it may be missing or refuse; <see cref="Timeout.InfiniteTimeSpan"/>: until cancelled.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Nobody listens there, or the path cannot be one of a socket.</exception>
    public static async Task<Stream> ConnectAsync(string path, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                // Missing is AddressNotAvailable in .NET's reckoning, a full queue of connections WouldBlock: then somebody listens, and has much to do.
                var limit = e.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused or SocketError.AddressNotAvailable => patience,
                    SocketError.WouldBlock => patience == Timeout.InfiniteTimeSpan ? patience : BusyPatience,
                    _ => TimeSpan.Zero,
                };
                if (limit != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(started) >= limit)
                    throw GuestFaults.NotRunning(path, e);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }
}

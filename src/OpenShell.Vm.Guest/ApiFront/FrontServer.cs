using System.Net;
using System.Net.Sockets;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>
/// Stands before the API server for callers from outside of the machine: lets in who has a certificate of this instance's own authority, and passes what they say on to the API server as its
/// administrator. The cluster's own authority may be shared with other machines then, which were resumed from the same memory or begun from the same disk (docs/adr/0060).
/// </summary>
/// <param name="apiServer">Where the API server is.</param>
/// <param name="files">Who is let in, at each moment.</param>
/// <param name="limits">What callers may take.</param>
/// <param name="log">Takes one line about each caller that was refused.</param>
internal sealed class FrontServer(IPEndPoint apiServer, FrontFiles files, FrontLimits limits, Action<string> log)
{
    private static readonly TimeSpan PauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);

    /// <summary>Serves until it is cancelled; then all connections are cut.</summary>
    /// <param name="listener">A listening socket.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Socket listener, CancellationToken cancellationToken)
    {
        using var places = new SemaphoreSlim(limits.Connections);
        var looking = LookAsync(cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await places.WaitAsync(cancellationToken).ConfigureAwait(false);
                _ = ServeAsync(await AcceptAsync(listener, places, cancellationToken).ConfigureAwait(false), places, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await looking.ConfigureAwait(false);
        // Each connection sees the same token; none may give its place back to a semaphore that is gone.
        for (var place = 0; place < limits.Connections; place++)
            await places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Looks at the files now, so that who is no longer let in is cut also when nobody calls.</summary>
    public void Look() => files.Current();

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(limits.LookEvery);
        try
        {
            do
                Look();
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private static async Task<Socket> AcceptAsync(Socket listener, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // The caller was gone before it was met.
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                await Task.Delay(PauseWithoutDescriptors, CancellationToken.None).ConfigureAwait(false);
            }
            catch
            {
                places.Release();
                throw;
            }
        }
    }

    private async Task ServeAsync(Socket caller, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        // A connection of its own thread of work: the next caller is not to wait for this one's handshake.
        await Task.Yield();
        try
        {
            using (caller)
            {
                if (files.Current() is not { } current)
                    return;
                caller.NoDelay = true;
                caller.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                caller.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)limits.KeepAlive.TotalSeconds);
                caller.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)limits.KeepAlive.TotalSeconds);
                caller.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
                using var scope = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, current.Admission);
                await FrontConnection.ServeAsync(caller, apiServer, current.Material, limits, why => log($"refused: {why}"), scope.Token).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // A defect in one connection must not end the others.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            log($"a connection failed: {exception.GetType().Name}: {exception.Message}");
        }
        finally
        {
            places.Release();
        }
    }
}

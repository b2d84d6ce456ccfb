using System.Net.Sockets;

namespace OpenShell.Vm.Interop;

/// <summary>Connects to the socket of a process that has just been started.</summary>
internal static class UnixSocket
{
    /// <summary>Between two attempts: short beside the 40 ms that QEMU or gvproxy take to listen.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(3);

    /// <summary>Tries until it is accepted or cancelled. Only "not there yet" and "refused" are tried again.</summary>
    internal static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var endpoint = new UnixDomainSocketEndPoint(path);
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException e) when (IsNotYet(e.SocketErrorCode))
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Listens on a socket that is its owner's alone, in place of one that was left there.</summary>
    /// <exception cref="SocketException">It cannot be made there; also <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/>, and <see cref="ArgumentException"/> for a path that is too long.</exception>
    internal static Socket Listen(string path, int backlog)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            File.Delete(path);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Before listening: nobody can connect until then, so there is no moment at which others could.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(backlog);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Waits until a process has made its socket, without connecting to it: some serve only one connection.</summary>
    internal static async Task WaitForFileAsync(string path, CancellationToken cancellationToken)
    {
        while (!File.Exists(path))
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
    }

    // .NET has no error code of its own for ENOENT: it comes as SocketError.SocketError or AddressNotAvailable, depending on the version.
    private static bool IsNotYet(SocketError error) =>
        error is SocketError.ConnectionRefused or SocketError.AddressNotAvailable or SocketError.SocketError or SocketError.TryAgain or SocketError.WouldBlock;
}

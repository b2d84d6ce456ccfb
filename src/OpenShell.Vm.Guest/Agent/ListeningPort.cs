using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>
/// A listening socket as the way to the host: each caller that is let in is one life of the host, the next is waited for when it has hung up. Listens as long as this
/// process lives, so nobody else in the guest can take its place.
/// </summary>
/// <param name="listening">A listening stream socket, which this owns.</param>
/// <param name="isHost">By the address of a caller, as the kernel tells it.</param>
internal sealed class ListeningPort(SafeFileHandle listening, Func<byte[], bool> isHost) : AgentPort, IDisposable
{
    /// <summary>Room for a sockaddr_vm (16 bytes) or a sockaddr_un (110).</summary>
    private const int AddressSize = 128;

    private readonly FdStream _listening = new(listening);

    /// <inheritdoc/>
    public override async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryAccept() is { } caller)
                return new FdStream(caller, runInline: true);
            await _listening.WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Not reached by PID 1.</summary>
    public void Dispose() => _listening.Dispose();

    /// <summary>The next caller that is let in; <see langword="null"/>: nobody calls.</summary>
    private unsafe SafeFileHandle? TryAccept()
    {
        var address = stackalloc byte[AddressSize];
        while (true)
        {
            uint length = AddressSize;
            var fd = Libc.accept4(_listening.Handle, address, &length, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
            if (fd >= 0)
            {
                if (isHost(new Span<byte>(address, (int)Math.Min(length, AddressSize)).ToArray()))
                    return new SafeFileHandle(fd, ownsHandle: true);
                _ = Libc.close(fd);
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.EAGAIN:
                    return null;
                case Libc.EINTR or Libc.ECONNABORTED:
                    continue;
                case var errno:
                    throw new IOException($"accept: {Libc.Message(errno)}");
            }
        }
    }
}

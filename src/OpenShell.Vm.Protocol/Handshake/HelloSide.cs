using System.Text.Json;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Protocol.Handshake;

/// <summary>
/// The handshake of the side that serves, a guest or a broker: says hello, and again with growing pauses until it is answered. Bytes of earlier
/// sessions that are still in the pipe are skipped.
/// </summary>
public static class HelloSide
{
    /// <summary>Runs the handshake; waits for a host without limit.</summary>
    /// <param name="transport">Where to. On success it is left at the first frame of the session.</param>
    /// <param name="role"><c>guest</c> or <c>broker</c>.</param>
    /// <param name="software">Program and version, for people.</param>
    /// <param name="cancellationToken">Gives up; the transport is then unusable.</param>
    /// <returns>The session, and the configuration if the host sent one.</returns>
    /// <exception cref="EndOfStreamException">The host went away.</exception>
    /// <exception cref="HandshakeException">The host speaks no version that this side does.</exception>
    public static async Task<(SessionInfo Session, GuestConfig? Config)> RunAsync(
        FrameTransport transport, string role, string? software, CancellationToken cancellationToken)
    {
        transport.Reader.HuntFor(FrameType.Welcome, FrameType.Refuse, FrameType.Knock);
        // A random Guid comes from the kernel; RandomNumberGenerator would load OpenSSL, which costs PID 1 time that it does not have.
        var nonce = Guid.NewGuid().ToString("N");
        var hello = JsonSerializer.SerializeToUtf8Bytes(
            new Hello { MinVersion = ProtocolLimits.MinVersion, MaxVersion = ProtocolLimits.MaxVersion, Nonce = nonce, Role = role, Software = software },
            ProtocolJson.Default.Hello);

        // A virtio-serial port blocks this write until there is a host, and only then can be read.
        await transport.SendAsync(0, FrameType.Hello, hello, cancellationToken).ConfigureAwait(false);
        var delay = ProtocolLimits.HelloDelay;
        var next = transport.ReceiveAsync(cancellationToken);
        while (true)
        {
            if (!await CompletesWithin(next, delay, cancellationToken).ConfigureAwait(false))
            {
                delay = delay * 2 < ProtocolLimits.MaxHelloDelay ? delay * 2 : ProtocolLimits.MaxHelloDelay;
                await transport.SendAsync(0, FrameType.Hello, hello, cancellationToken).ConfigureAwait(false);
                continue;
            }
            var frame = await next.ConfigureAwait(false);
            if (frame.Header.Type == FrameType.Knock)
                await transport.SendAsync(0, FrameType.Hello, hello, cancellationToken).ConfigureAwait(false);
            else if (frame.Header.Type == FrameType.Refuse)
                ThrowIfRefused(frame, nonce);
            else if (Accept(frame, nonce) is { } welcome)
            {
                transport.Reader.Lock();
                await transport.SendAsync(welcome.Epoch, FrameType.Ready, default, cancellationToken).ConfigureAwait(false);
                return (Describe(welcome), welcome.Config);
            }
            next = transport.ReceiveAsync(cancellationToken);
        }
    }

    private static async Task<bool> CompletesWithin(Task task, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (task.IsCompleted)
            return true;
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = await Task.WhenAny(task, Task.Delay(delay, timer.Token)).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
        return first == task;
    }

    /// <summary>The welcome of this frame, unless it answers another hello or makes no sense.</summary>
    private static Welcome? Accept(ReceivedFrame frame, string nonce)
    {
        var welcome = HandshakeJson.TryRead(frame.Payload, ProtocolJson.Default.Welcome);
        return welcome?.Nonce == nonce && welcome.Epoch != 0 && welcome.Version is >= ProtocolLimits.MinVersion and <= ProtocolLimits.MaxVersion ? welcome : null;
    }

    private static void ThrowIfRefused(ReceivedFrame frame, string nonce)
    {
        if (HandshakeJson.TryRead(frame.Payload, ProtocolJson.Default.Refusal) is { } refusal && refusal.Nonce == nonce)
            throw new HandshakeException(
                $"The host speaks versions {refusal.MinVersion} to {refusal.MaxVersion} of the agent protocol, this side {ProtocolLimits.MinVersion} to {ProtocolLimits.MaxVersion}.");
    }

    private static SessionInfo Describe(Welcome welcome) => new()
    {
        Epoch = welcome.Epoch,
        Version = welcome.Version,
        IsHost = false,
        Nonce = welcome.Nonce,
        Peer = "host " + welcome.Software,
    };
}

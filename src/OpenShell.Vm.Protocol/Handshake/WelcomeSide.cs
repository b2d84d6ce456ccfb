using System.Buffers.Binary;
using System.Text.Json;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Protocol.Handshake;

/// <summary>The handshake of the side that is served, a host or the client of a broker: knocks, waits for hello, and answers it.</summary>
public static class WelcomeSide
{
    /// <summary>Runs the handshake; waits for the guest without limit.</summary>
    /// <param name="transport">Where to. On success it is left at the first frame of the session.</param>
    /// <param name="config">Made anew for every answer, since it holds the time; <see langword="null"/> to send none.</param>
    /// <param name="software">Program and version, for people.</param>
    /// <param name="cancellationToken">Gives up; the transport is then unusable.</param>
    /// <exception cref="EndOfStreamException">The guest went away.</exception>
    /// <exception cref="HandshakeException">The guest speaks no version that this side does.</exception>
    public static async Task<SessionInfo> RunAsync(FrameTransport transport, Func<GuestConfig>? config, string? software, CancellationToken cancellationToken)
    {
        transport.Reader.HuntFor(FrameType.Hello, FrameType.Ready);
        await transport.SendAsync(0, FrameType.Knock, default, cancellationToken).ConfigureAwait(false);
        SessionInfo? offered = null;
        var first = transport.ReceiveAsync(cancellationToken);
        await PadUnlessAnswered(transport, first, cancellationToken).ConfigureAwait(false);
        for (var frame = await first.ConfigureAwait(false); ; frame = await transport.ReceiveAsync(cancellationToken).ConfigureAwait(false))
        {
            if (frame.Header.Type == FrameType.Ready)
            {
                // The epoch is random: no READY that was left over can carry it.
                if (offered is null || frame.Header.Epoch != offered.Epoch)
                    continue;
                transport.Reader.Lock();
                return offered;
            }
            if (HandshakeJson.TryRead(frame.Payload, ProtocolJson.Default.Hello) is { } hello)
                offered = await AnswerAsync(transport, hello, offered, config, software, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A guest that still waits for the rest of a frame of an earlier session takes the knock for a part of it; zeros in the length of the
    /// largest frame end that wait, and the knock behind them is heard.
    /// </summary>
    private static async Task PadUnlessAnswered(FrameTransport transport, Task first, CancellationToken cancellationToken)
    {
        try
        {
            await first.WaitAsync(ProtocolLimits.PaddingDelay, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A guest that has not opened its port yet leaves this in the socket's buffer, which holds it (at least 160 KiB on Linux, net.core.wmem_default).
            var padding = new byte[ProtocolLimits.PaddingSize + ProtocolLimits.HeaderSize];
            new FrameHeader(0, FrameType.Knock, 0, 0, 0, 0).Write(padding.AsSpan(ProtocolLimits.PaddingSize));
            await transport.Stream.WriteAsync(padding, cancellationToken).ConfigureAwait(false);
        }
        catch (EndOfStreamException)
        {
            // The caller awaits the same task.
        }
    }

    private static async Task<SessionInfo?> AnswerAsync(
        FrameTransport transport, Hello hello, SessionInfo? offered, Func<GuestConfig>? config, string? software, CancellationToken cancellationToken)
    {
        var version = Math.Min(hello.MaxVersion, ProtocolLimits.MaxVersion);
        if (version < Math.Max(hello.MinVersion, ProtocolLimits.MinVersion))
        {
            var refusal = new Refusal { Nonce = hello.Nonce, MinVersion = ProtocolLimits.MinVersion, MaxVersion = ProtocolLimits.MaxVersion };
            await transport.SendAsync(0, FrameType.Refuse, JsonSerializer.SerializeToUtf8Bytes(refusal, ProtocolJson.Default.Refusal), cancellationToken).ConfigureAwait(false);
            throw new HandshakeException(
                $"The {hello.Role} speaks versions {hello.MinVersion} to {hello.MaxVersion} of the agent protocol, this side {ProtocolLimits.MinVersion} to {ProtocolLimits.MaxVersion}.");
        }
        // A hello that is only repeated gets the same answer; another one means that the guest began anew.
        var session = offered?.Nonce == hello.Nonce ? offered : new SessionInfo
        {
            Epoch = NewEpoch(),
            Version = version,
            IsHost = true,
            Nonce = hello.Nonce,
            Peer = hello.Software is null ? hello.Role : $"{hello.Role} {hello.Software}",
        };
        var welcome = new Welcome { Nonce = hello.Nonce, Version = version, Epoch = session.Epoch, Config = config?.Invoke(), Software = software };
        await transport.SendAsync(0, FrameType.Welcome, JsonSerializer.SerializeToUtf8Bytes(welcome, ProtocolJson.Default.Welcome), cancellationToken).ConfigureAwait(false);
        return session;
    }

    /// <summary>The first four bytes of a version 4 Guid are random (RFC 9562, section 5.4).</summary>
    private static uint NewEpoch()
    {
        uint epoch;
        do
            epoch = BinaryPrimitives.ReadUInt32LittleEndian(Guid.NewGuid().ToByteArray());
        while (epoch == 0);
        return epoch;
    }
}

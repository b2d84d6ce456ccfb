using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>
/// Joins two streams so that neither end can tell. A message is let go, and its credit returned, only once it is written on the other side: so what is
/// under way is bounded by the windows of both, and a slow reader holds up the sender at the other end.
/// </summary>
internal static class StreamRelay
{
    /// <summary>Runs until both directions have ended. Owns <paramref name="guest"/>; <paramref name="client"/> is its handler's.</summary>
    public static async Task RunAsync(MuxStream client, MuxStream guest, CancellationToken cancellationToken)
    {
        await using (guest)
        {
            using var gone = cancellationToken.UnsafeRegister(static stream => ((MuxStream)stream!).Reset(ProtocolCode.Cancelled, string.Empty), guest);
            var upward = CopyUpAsync(client, guest);
            // Not the token's business: it resets the guest's stream, which ends this.
            await CopyAsync(guest, client, CancellationToken.None).ConfigureAwait(false);
            await client.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
            // The guest has said all. If it still listens, so must we; when it stops, its stream's token ends the copying.
            await upward.ConfigureAwait(false);
        }
    }

    /// <summary>Client to guest. A guest that wants no more is told to the client only after all that the guest sent, by the end of the handler.</summary>
    private static async Task CopyUpAsync(MuxStream client, MuxStream guest)
    {
        try
        {
            await CopyAsync(client, guest, guest.Aborted).ConfigureAwait(false);
            await guest.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MuxStreamException or OperationCanceledException)
        {
            // Either the guest stopped listening: what it has to say comes by the other direction. Or the client is gone: the token resets the guest's stream.
        }
    }

    private static async Task CopyAsync(MuxStream from, MuxStream to, CancellationToken cancellationToken)
    {
        while (await from.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            using (message)
                await to.WriteAsync(message.Kind, message.Payload, cancellationToken).ConfigureAwait(false);
        }
    }
}

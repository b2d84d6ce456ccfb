using System.Text.Json;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

public sealed partial class GuestAgent
{
    /// <inheritdoc/>
    public async Task<TreeSummary> ReadTreeAsync(TreeReadRequest request, ITreeSink sink, TreeLimits limits, IProgress<TreeProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var stream = Open(ServiceNames.TreeRead, JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.TreeReadRequest), request.Path);
        try
        {
            await stream.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
            return await TreeReader.ReceiveAsync(stream, sink, limits, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (MuxStreamException e)
        {
            throw TreeFaults.From(e);
        }
    }

    /// <inheritdoc/>
    public async Task<TreeSummary> WriteTreeAsync(TreeWriteRequest request, Func<MuxStream, CancellationToken, Task<TreeSummary>> source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(source);
        await using var stream = Open(ServiceNames.TreeWrite, JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.TreeWriteRequest), request.Path);
        try
        {
            var sent = await source(stream, cancellationToken).ConfigureAwait(false);
            while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
            {
                using (message)
                {
                    if (message.Kind == MessageKinds.TreeWritten)
                        return JsonSerializer.Deserialize(message.Payload.Span, ProtocolJson.Default.TreeSummary) is { } written && written == sent ? written : throw NotConfirmed();
                }
            }

            throw NotConfirmed();
        }
        catch (MuxStreamException e)
        {
            throw TreeFaults.From(e);
        }
        catch (JsonException)
        {
            throw TreeFaults.From(NotConfirmed());
        }
    }

    private static MuxStreamException NotConfirmed() => new(ProtocolCode.Failed, "the guest did not confirm that all of it was written");
}

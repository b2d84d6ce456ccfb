using System.Buffers;
using System.Text.Json;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

public sealed partial class GuestAgent
{
    /// <inheritdoc/>
    public async Task ReadFileAsync(string path, Stream destination, CancellationToken cancellationToken = default)
    {
        var request = JsonSerializer.SerializeToUtf8Bytes(new FileReadRequest(path), ProtocolJson.Default.FileReadRequest);
        await using var stream = Open(ServiceNames.FileRead, request, path);
        try
        {
            await stream.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
            while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
            {
                using (message)
                {
                    if (message.Kind == MessageKinds.FileData)
                        await destination.WriteAsync(message.Payload, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (MuxStreamException e)
        {
            throw Explain(path, e);
        }
    }

    /// <inheritdoc/>
    public async Task WriteFileAsync(string path, Stream source, UnixFileMode mode, CancellationToken cancellationToken = default)
    {
        var request = JsonSerializer.SerializeToUtf8Bytes(new FileWriteRequest(path, (int)mode), ProtocolJson.Default.FileWriteRequest);
        await using var stream = Open(ServiceNames.FileWrite, request, path);
        try
        {
            await SendAsync(stream, source, cancellationToken).ConfigureAwait(false);
            var written = false;
            while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
            {
                using (message)
                    written |= message.Kind == MessageKinds.FileWritten;
            }
            if (!written)
                throw new MuxStreamException(ProtocolCode.Failed, "the guest did not confirm it");
        }
        catch (MuxStreamException e)
        {
            throw Explain(path, e);
        }
    }

    private static async Task SendAsync(MuxStream stream, Stream source, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.MaxPayload);
        try
        {
            while (await source.ReadAsync(buffer.AsMemory(0, ProtocolLimits.MaxPayload), cancellationToken).ConfigureAwait(false) is > 0 and var count)
                await stream.WriteAsync(MessageKinds.FileData, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        await stream.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
    }

    private static Exception Explain(string path, MuxStreamException e) => e.Code switch
    {
        ProtocolCode.NotFound => new FileNotFoundException(GuestFaults.Clean(e.Message), path, e),
        ProtocolCode.Denied => new UnauthorizedAccessException(GuestFaults.Clean(e.Message), e),
        _ => GuestFaults.From(path, e),
    };
}

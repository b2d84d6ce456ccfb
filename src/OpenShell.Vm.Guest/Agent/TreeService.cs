using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Files.Sending;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Sends and takes trees of files: what <c>gateway cp</c> asks for. What is written belongs to root.</summary>
internal static class TreeService
{
    public static async Task ReadAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.TreeReadRequest);
        RequireAbsolute(stream, request.Path);
        await DiskSource.SendAsync(request.Path, request.FollowLink, stream, null, cancellationToken).ConfigureAwait(false);
    }

    public static async Task WriteAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.TreeWriteRequest);
        RequireAbsolute(stream, request.Path);
        var destination = new TreeDestination { Path = request.Path, Name = request.Name, Contents = request.Contents, MakeParents = true };
        TreeSummary written;
        await using (var sink = new DiskSink(destination))
            written = await TreeReader.ReceiveAsync(stream, sink, new TreeLimits { MaxEntries = long.MaxValue, MaxLength = long.MaxValue }, null, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(MessageKinds.TreeWritten, written, ProtocolJson.Default.TreeSummary, cancellationToken).ConfigureAwait(false);
    }

    private static void RequireAbsolute(MuxStream stream, string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            throw ServiceJson.Invalid(stream.Service, "the path is not absolute.");
    }
}

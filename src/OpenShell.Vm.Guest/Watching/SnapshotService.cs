using System.Text.Json;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Makes the machine ready to have its memory saved.</summary>
/// <param name="resume">What an earlier resume left to do that the next start needs.</param>
/// <param name="reclaim">Makes memory free.</param>
/// <param name="hold">Holds services still, until the machine that goes on has answered.</param>
internal sealed class SnapshotService(ResumeService resume, MemoryReclaim reclaim, ServiceHold hold)
{
    /// <summary>Answers one request.</summary>
    /// <exception cref="MuxStreamException">The state disk takes nothing: what is saved would not fit to it.</exception>
    public async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var preparation = JsonSerializer.Deserialize(request.Span, ProtocolJson.Default.SnapshotPreparation) ?? new SnapshotPreparation();
        var problems = new List<string>();

        // Before all else: what stands still makes nothing dirty and fills no cache.
        await hold.HoldAsync().ConfigureAwait(false);
        try
        {
            resume.Keep();

            // Dirty pages cannot be given up, and would be lost with a machine that is resumed over the disk of this instant.
            Linux.Sync();
            if (preparation.Reclaim)
                problems.AddRange(reclaim.Run());
            var (total, free) = reclaim.Measure();
            return JsonSerializer.SerializeToUtf8Bytes(new SnapshotPrepared(total, free, problems), ProtocolJson.Default.SnapshotPrepared);
        }
        catch (IOException e)
        {
            throw new MuxStreamException(ProtocolCode.Failed, $"The machine cannot be made ready to be saved: {e.Message}");
        }
        finally
        {
            hold.ExpireLater();
        }
    }

    /// <summary>The host has what it waited for, or saves nothing after all.</summary>
    public async Task<byte[]> LetGoAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await hold.LetGoAsync().ConfigureAwait(false);
        return [];
    }
}

using System.Text.Json;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Makes the machine ready to have its memory saved.</summary>
/// <param name="resume">What an earlier resume left to do: the memory that is saved is to be of one instance all through.</param>
/// <param name="reclaim">Makes memory free.</param>
internal sealed class SnapshotService(ResumeService resume, MemoryReclaim reclaim)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Answers one request.</summary>
    public async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var preparation = JsonSerializer.Deserialize(request.Span, ProtocolJson.Default.SnapshotPreparation) ?? new SnapshotPreparation();
        var problems = new List<string>();
        try
        {
            await resume.Behind.WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            problems.Add("what the last resume left to do is not done yet; the console says why");
        }

        // Dirty pages cannot be given up, and would be lost with a machine that is resumed over the disk of this instant.
        Linux.Sync();
        if (preparation.Reclaim)
            problems.AddRange(reclaim.Run());
        var (total, free) = reclaim.Measure();
        return JsonSerializer.SerializeToUtf8Bytes(new SnapshotPrepared(total, free, problems), ProtocolJson.Default.SnapshotPrepared);
    }
}

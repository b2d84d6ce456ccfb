using System.Text.Json;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Renews certificates of a cluster that has been running for long.</summary>
/// <param name="cluster">The cluster; <see langword="null"/> where there is none.</param>
internal sealed class CertificateService(Func<ClusterBoot?> cluster)
{
    /// <summary>Answers one request.</summary>
    public async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var renewal = JsonSerializer.Deserialize(request.Span, ProtocolJson.Default.CertificateRenewal) ?? new CertificateRenewal(0);
        var within = TimeSpan.FromSeconds(Math.Clamp(renewal.WithinSeconds, 0, (long)TimeSpan.FromDays(10_000).TotalSeconds));
        var reply = cluster() is { } running ? await running.RenewCertificatesAsync(within, cancellationToken).ConfigureAwait(false) : new CertificateRenewalReply([], []);
        return JsonSerializer.SerializeToUtf8Bytes(reply, ProtocolJson.Default.CertificateRenewalReply);
    }
}

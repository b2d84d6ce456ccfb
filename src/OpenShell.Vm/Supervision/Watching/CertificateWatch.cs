using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>When certificates are renewed while a machine runs.</summary>
internal sealed record RenewalRule
{
    /// <summary>How long they last at least; as at a start, so that the first look after a start finds nothing.</summary>
    public Func<TimeSpan> Margin { get; init; } = () => TimeSpan.FromDays(180 - 7);

    /// <summary>Between two looks.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(6);
}

/// <summary>Has the certificates of a machine that runs for years renewed before they end.</summary>
/// <param name="rule">When.</param>
/// <param name="renew">Asks the guest for it; <see langword="null"/>: there is no cluster yet.</param>
/// <param name="report">Takes the event.</param>
internal sealed class CertificateWatch(RenewalRule rule, Func<CertificateRenewal, CancellationToken, Task<CertificateRenewalReply?>> renew, Reporting report) : IWatch
{
    public string Name => "the certificates";

    public TimeSpan Interval => rule.Interval;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var margin = rule.Margin();
        if (await renew(new CertificateRenewal((long)margin.TotalSeconds), cancellationToken).ConfigureAwait(false) is not { } reply || (reply.Renewed.Count == 0 && reply.Replaced.Count == 0))
            return;
        var what = reply.Renewed.Count == 0 ? "certificates" : string.Create(CultureInfo.InvariantCulture, $"{reply.Renewed.Count} certificates ({string.Join(", ", reply.Renewed)})");
        var used = reply.Replaced.Count == 0 ? "" : $"; {string.Join(", ", reply.Replaced)} started again with them";
        report(EventNames.CertificatesRenewed, string.Create(CultureInfo.InvariantCulture, $"{what} with less than {margin.TotalDays:0} days left were renewed{used}"));
    }
}

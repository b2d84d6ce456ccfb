using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class CertificateWatchTests
{
    private readonly List<(string Name, string Message)> _events = [];
    private readonly List<long> _asked = [];
    private CertificateRenewalReply? _reply;

    [Fact]
    public async Task What_was_renewed_is_told_with_what_was_started_again()
    {
        _reply = new CertificateRenewalReply(["admin", "apiserver"], ["kube-apiserver"]);
        await LookAsync();
        _asked.ShouldBe([(long)TimeSpan.FromDays(173).TotalSeconds]);
        _events.ShouldBe([(EventNames.CertificatesRenewed, "2 certificates (admin, apiserver) with less than 173 days left were renewed; kube-apiserver started again with them")]);
    }

    [Fact]
    public async Task Nothing_is_told_where_nothing_was_done_or_nobody_is_there_yet()
    {
        await LookAsync();
        _reply = new CertificateRenewalReply([], []);
        await LookAsync();
        _events.ShouldBeEmpty();
        _asked.Count.ShouldBe(2);
    }

    private Task LookAsync() => new CertificateWatch(
        new RenewalRule(),
        (renewal, _) =>
        {
            _asked.Add(renewal.WithinSeconds);
            return Task.FromResult(_reply);
        },
        (name, message, _) => _events.Add((name, message))).LookAsync(TestContext.Current.CancellationToken);
}

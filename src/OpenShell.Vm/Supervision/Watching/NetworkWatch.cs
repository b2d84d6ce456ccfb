using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>
/// Notices that the host reaches the world another way (another network, a VPN, other name servers), and has the guest forget the names that it knows and renew its lease. gvproxy itself opens
/// each connection as the host would at that moment.
/// </summary>
/// <param name="read">How the host reaches the world.</param>
/// <param name="tell">Tells the guest; <see langword="null"/>: there is nobody to tell yet.</param>
/// <param name="report">Takes the event.</param>
internal sealed class NetworkWatch(Func<HostNetwork> read, Func<HostChange, CancellationToken, Task<HostChangeReply?>> tell, Reporting report) : IWatch
{
    private HostNetwork _told = read();
    private HostNetwork _before = read();

    public string Name => "the host's network";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = read();

        // A change is made of several: it counts when two looks in a row see the same.
        (var settled, _before) = (now == _before, now);
        if (!settled || now == _told)
            return;
        if (await tell(new HostChange { Network = true }, cancellationToken).ConfigureAwait(false) is not { } reply)
            return;
        string[] what = [.. now.Addresses == _told.Addresses ? [] : (string[])["addresses"], .. now.Resolvers == _told.Resolvers ? [] : (string[])["name servers"]];
        report(EventNames.NetworkChanged, $"the host's {string.Join(" and ", what)} changed" + (reply.Told.Count == 0 ? "" : $"; {string.Join(", ", reply.Told)} in the guest were told"));
        _told = now;
    }
}

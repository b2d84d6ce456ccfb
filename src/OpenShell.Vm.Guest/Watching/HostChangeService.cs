using System.Text.Json;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Follows the host when it has slept, its clock was set, or its network is another.</summary>
/// <param name="services">The cluster's services; <see langword="null"/> where there is no cluster.</param>
/// <param name="time">The guest's clock.</param>
/// <param name="setClock">Sets it, to nanoseconds since the Unix epoch.</param>
internal sealed class HostChangeService(Func<ServiceManager?> services, TimeProvider time, Action<long> setClock)
{
    /// <summary>What a guest does with its own services and clock.</summary>
    public HostChangeService(Func<ServiceManager?> services)
        : this(services, TimeProvider.System, ClockAndEntropy.SetClock)
    {
    }

    /// <summary>
    /// What is told, and how: udhcpc renews its lease on SIGUSR1 (https://git.busybox.net/busybox/tree/networking/udhcp/dhcpc.c), dnsmasq forgets what it knows on SIGHUP (dnsmasq(8)).
    /// The kubelet renews its own leases every ten seconds by a clock that does not jump.
    /// </summary>
    internal static IReadOnlyList<(string Service, int Signal)> Listeners { get; } =
        [("dhcp", Linux.SignalUser1), (DnsService.Name, Linux.SignalHangUp), (DnsService.RecordsName, Linux.SignalHangUp)];

    /// <summary>Answers one request.</summary>
    public Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var change = JsonSerializer.Deserialize(request.Span, ProtocolJson.Default.HostChange) ?? new HostChange();
        long? offset = null;
        if (change.HostTimeUnixNanoseconds is { } host)
        {
            offset = host - time.GetUtcNow().ToUnixTimeNanoseconds();
            if (change.OnlyCompares != true)
                setClock(host);
        }

        IReadOnlyList<string> told = change.Network && services() is { } manager
            ? [.. Listeners.Where(listener => manager.TrySignal(listener.Service, listener.Signal)).Select(listener => listener.Service)]
            : [];
        return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(new HostChangeReply { ClockOffsetNanoseconds = offset, Told = told }, ProtocolJson.Default.HostChangeReply));
    }
}

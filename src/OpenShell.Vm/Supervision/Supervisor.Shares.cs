using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Supervision;

/// <summary>Folders of the host that the guest sees, and the processes that serve them where the hypervisor does not.</summary>
internal sealed partial class Supervisor
{
    private static readonly TimeSpan VirtiofsdLimit = TimeSpan.FromSeconds(10);

    private readonly List<ChildProcess> _virtiofsd = [];
    private IReadOnlyList<SharedFolder> _shares = [];

    /// <summary>For each power-on: virtiofsd ends with the machine that it served.</summary>
    private async Task StartSharesAsync(BootPlan plan, HostFacts host)
    {
        _shares = plan.Shares;
        await EndSharesAsync().ConfigureAwait(false);
        foreach (var share in plan.Shares.Where(s => s.Socket is not null))
        {
            File.Delete(share.Socket!);
            var child = ChildProcess.Start(VirtiofsdCommandLine.Describe(host.Virtiofsd!, share, _files));
            _virtiofsd.Add(child);
            _log.Say($"virtiofsd for {share.Path} started, pid {child.Identity.Pid}");
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_running.Token);
            limit.CancelAfter(VirtiofsdLimit);
            var listening = UnixSocket.WaitForFileAsync(share.Socket!, limit.Token);
            if (await Task.WhenAny(listening, child.Exited).ConfigureAwait(false) != listening || !listening.IsCompletedSuccessfully)
            {
                _running.Token.ThrowIfCancellationRequested();
                throw new FaultException(new Fault
                {
                    Code = "mount.virtiofsd",
                    Stage = Timeline.BootStages.Vmm,
                    What = $"virtiofsd, which would serve {share.Path} to the guest, {(child.Exited.IsCompleted ? (await child.Exited.ConfigureAwait(false)).ToString() : "does not listen")}.{child.LastWords}",
                    Remedy = "See its log; --kernel custom does without it.",
                    Log = Kept(_files.VirtiofsdLog),
                });
            }

            _ = WatchShareAsync(share, child);
        }
    }

    private async Task WatchShareAsync(SharedFolder share, ChildProcess child)
    {
        var reason = await child.Exited.ConfigureAwait(false);

        // It ends, rightly, with its machine.
        if (_machine is { Leaving: false } machine)
            await ((Task)machine.Vmm.Exited).WaitAsync(Settle).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_machine is not { Leaving: false } || _machine.Vmm.Exited.IsCompleted)
            return;
        _events.Report(EventNames.MountLost, $"{share.GuestPath} does not answer any more: virtiofsd for {share.Path} {reason}.{child.LastWords}", share.GuestPath);
    }

    private async Task EndSharesAsync()
    {
        foreach (var child in _virtiofsd)
            await child.DisposeAsync().ConfigureAwait(false);
        _virtiofsd.Clear();
    }
}

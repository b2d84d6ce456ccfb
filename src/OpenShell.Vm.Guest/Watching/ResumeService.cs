using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>
/// Goes on after the machine's memory was resumed, as another instance if the host says so. The host waits for the answer before it calls anybody, on an emulated processor that has to translate every
/// piece of code anew: so what it waits for starts no process, makes no key and asks no server. All else follows behind.
/// </summary>
/// <param name="cluster">The cluster; <see langword="null"/> where there is none.</param>
/// <param name="services">Its services.</param>
/// <param name="machine">What is done to the machine itself.</param>
/// <param name="files">What is written.</param>
/// <param name="hold">What follows behind the answer waits until services go on: the host waits for the gateway's answer, and for nothing else.</param>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as PID 1.")]
internal sealed class ResumeService(Func<IResumedCluster?> cluster, Func<ServiceManager?> services, ResumedMachine machine, InstanceFiles files, ServiceHold hold)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _one = new(1);
    private CancellationTokenSource _behind = new();

    // What callers see is changed by one at a time.
    private readonly Lock _changing = new();

    // Whose Secrets are not up to date: that takes a server, so nobody waits for it before a save. It is saved with the memory, and the next resume goes on with it.
    private volatile ResumedInstance? _owed;
    private bool _isKept = true;

    /// <summary>What follows behind the last answer.</summary>
    public Task Behind { get; private set; } = Task.CompletedTask;

    /// <summary>Answers one request.</summary>
    /// <exception cref="MuxStreamException">It is refused, and nothing was changed.</exception>
    public async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var came = Uptime.Nanoseconds;
        var resume = ResumedInstance.Read(request.Span);
        var resumed = cluster();
        var instance = ResumedInstance.Of(resume, resumed is { HasFront: true });
        if (instance is not null && resumed is not { IsUp: true })
            throw new MuxStreamException(ProtocolCode.Failed, "The cluster has not come up: only one that is ready becomes another instance's.");
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(Resume(resume, instance, resumed, came), ProtocolJson.Default.ResumeReply);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Keeps on the state disk, and for the host, what is the instance's own. Before its memory is saved this is done: who goes on from it fetches the credentials, or boots from the disk.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Keep()
    {
        lock (_changing)
        {
            if (_isKept)
                return;
            var instance = _owed!;
            files.Keep(instance.Identity, instance.MachineId, instance.Credentials);
            files.Give(instance.Credentials);
            files.RemoveOld();
            _isKept = true;
        }
    }

    private ResumeReply Resume(ResumeRequest resume, ResumedInstance? instance, IResumedCluster? resumed, long came)
    {
        var problems = new List<string>();
        var before = machine.Now();
        // First: certificates are valid by it. What has passed since the request came counts.
        machine.SetClock(resume.HostTimeUnixNanoseconds + Uptime.Nanoseconds - came);
        problems.AddRange(machine.Reseed(resume.Entropy));
        lock (_changing)
        {
            if (instance is not null)
            {
                files.SetMachineId(instance.MachineId);
                resumed!.Become(instance.Identity, instance.GatewayName, instance.Credentials);
                (_owed, _isKept) = (instance, false);
            }
            else
            {
                resumed?.Stir();
                problems.AddRange(KeepNow());
            }
        }

        problems.AddRange(machine.CutConnections(resumed?.Address));
        FollowBehind(resumed);
        return new ResumeReply(before, problems);
    }

    /// <summary>One that was held when it was saved could not be asked to: the host is about to fetch what is its own, and would find another's.</summary>
    private IEnumerable<string> KeepNow()
    {
        try
        {
            Keep();
            return [];
        }
        catch (IOException exception)
        {
            return [$"its credentials were not written down: {exception.Message}"];
        }
    }

    /// <summary>One at a time: what an earlier resume has not finished is of an instance that this machine no longer is.</summary>
    private void FollowBehind(IResumedCluster? resumed)
    {
        var (earlier, stop) = (Behind, new CancellationTokenSource());
        Interlocked.Exchange(ref _behind, stop).Cancel();
        Behind = Task.Run(async () =>
        {
            await earlier.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await FollowAsync(resumed, stop.Token).ConfigureAwait(false);
        });
    }

    private async Task FollowAsync(IResumedCluster? resumed, CancellationToken cancellationToken)
    {
        await hold.Over.WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach (var problem in machine.CutPodConnections(resumed?.Address, resumed?.Gateway))
            KernelConsole.Say($"after a resume {problem}");
        if (services() is { } manager)
        {
            // It looks at its files for each new connection in any case; this is for what it has not closed yet.
            _ = manager.TrySignal(ApiFrontService.Name, Linux.SignalHangUp);
            foreach (var (service, signal) in HostChangeService.Listeners)
                _ = manager.TrySignal(service, signal);
        }

        await InsistAsync("the state disk", () =>
        {
            Keep();
            return Task.CompletedTask;
        }, cancellationToken).ConfigureAwait(false);
        if (_owed is not { } instance)
            return;
        await InsistAsync("the cluster's Secrets", () => resumed!.FollowAsync([.. instance.Credentials.Keys], cancellationToken), cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
            return;
        lock (_changing)
        {
            if (ReferenceEquals(_owed, instance))
                _owed = null;
        }
    }

    /// <summary>Until it is done, or the machine becomes another instance; each failure is said on the console.</summary>
    private static async Task InsistAsync(string what, Func<Task> work, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; !cancellationToken.IsCancellationRequested; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await work().ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is: the instance is in use, and would come apart from what its next boot finds.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                KernelConsole.Say($"after a resume {what} could not be brought up to date, and it is tried again: {exception.Message}");
                await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

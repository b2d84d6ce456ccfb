using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>A start, played by the instance's name (see <see cref="DummyInstances"/>).</summary>
internal sealed class DummyInstance : IRunningInstance
{
    private readonly TaskCompletionSource<InstanceStatus> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<IGuestProcess> _process = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IProgress<TimelineEvent>? _progress;
    private readonly Journal _journal;
    private readonly bool _ignoresOrder;

    public DummyInstance(InstanceConfig config, IProgress<TimelineEvent>? progress, Journal journal)
    {
        _progress = progress;
        _journal = journal;
        _ignoresOrder = config.Name == "stubborn";
        Report(BootStages.HostProbe, StageState.Started, 0);
        Report(BootStages.HostProbe, StageState.Completed, 0.25, "QEMU 10.0.2, tcg");
        Report(BootStages.Kernel, StageState.Started, 0.5);
        switch (config.Name)
        {
            case "slow":
                break;
            case "failing":
                Report(BootStages.Kernel, StageState.Failed, 2);
                Fail();
                break;
            default:
                Report(BootStages.Kernel, StageState.Completed, 2.5);
                _ready.SetResult(DummyInstances.Ready(config.Name));
                break;
        }

        if (config is { Exec: { } exec, Name: not "slow" } && !_completion.Task.IsCompleted)
            _process.SetResult(new LocalProcess(exec, journal));
        if (config.Name == "lost")
            Fail();
    }

    public Task<InstanceStatus> Ready => _ready.Task;

    public Task<int> Completion => _completion.Task;

    public Task<IGuestAgent> Agent => Task.FromResult<IGuestAgent>(new LocalAgent(_journal));

    public Task<IGuestProcess> Process => _process.Task;

    public Task StopAsync(bool force = false)
    {
        _journal.Write($"stop force={force}");
        if (_ignoresOrder && !force)
            return _completion.Task;
        _ready.TrySetException(new FaultException(DummyInstances.Fault));
        _process.TrySetCanceled();
        _completion.TrySetResult(0);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _journal.Write("disposed");
        return ValueTask.CompletedTask;
    }

    private void Fail()
    {
        var fault = new FaultException(DummyInstances.Fault);
        _ready.TrySetException(fault);
        _process.TrySetException(fault);
        _completion.TrySetException(fault);
    }

    private void Report(string stage, StageState state, double seconds, string? detail = null) => _progress?.Report(new TimelineEvent
    {
        Stage = stage,
        State = state,
        At = DateTimeOffset.UnixEpoch,
        Elapsed = TimeSpan.FromSeconds(seconds),
        Detail = detail,
    });
}

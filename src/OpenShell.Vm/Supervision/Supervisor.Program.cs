using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>A VM that runs one program.</summary>
internal sealed partial class Supervisor
{
    private async Task<Ending> RunProgramAsync(GuestAgent agent)
    {
        await StageAsync(BootStages.Init).ConfigureAwait(false);
        var program = await agent.ExecAsync(_config.Exec!, _running.Token).ConfigureAwait(false);
        _ready.TrySetResult(_status.Change(status => status with { Phase = InstancePhase.Ready, ReadyAt = _options.Time.GetUtcNow() }));
        _process.TrySetResult(program);
        var result = await program.Completion.WaitAsync(_running.Token).ConfigureAwait(false);
        return new Ending.ProgramEnded(result.ExitCode);
    }
}

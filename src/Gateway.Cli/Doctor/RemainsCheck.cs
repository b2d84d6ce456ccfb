using OpenShell.Vm.Upkeep;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Sockets, locks and folders of processes that were killed.</summary>
internal sealed class RemainsCheck : IHostCheck
{
    public string Name => "leftovers";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var stale = new StaleRemains(context.Host.Directories).Find();
        return Task.FromResult<IReadOnlyList<CheckResult>>(
            stale.Count == 0
                ? [new CheckResult(Name, CheckState.Ok, "no sockets, locks or folders of processes that have ended")]
                : [.. stale.Select(s => new CheckResult(Name, CheckState.Warning, $"{s.Path}: {s.Why}") { Repair = new RemoveRemain(s) })]);
    }
}

using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Memory that a cluster can have.</summary>
internal sealed class MemoryCheck : IHostCheck
{
    // A cluster's default, and what QEMU and gvproxy need beside it.
    private const long Wanted = 4_500_000_000;

    public string Name => "memory";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // Counts a container's limit too.
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var state = total >= Wanted ? CheckState.Ok : CheckState.Warning;
        return Task.FromResult<IReadOnlyList<CheckResult>>(
            [new CheckResult(Name, state, $"{Units.Size(total)} in all", state == CheckState.Ok ? null : "A cluster is given 4 GiB unless told otherwise; give it less: gateway up --mem 2g")]);
    }
}

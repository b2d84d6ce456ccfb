using OpenShell.Vm.Upkeep;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Owners and modes of what this program keeps.</summary>
internal sealed class RightsCheck : IHostCheck
{
    public string Name => "rights";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var wrong = new FolderRights(context.Host.Directories).Find();
        return Task.FromResult<IReadOnlyList<CheckResult>>(
            wrong.Count == 0
                ? [new CheckResult(Name, CheckState.Ok, "folders and keys are this user's alone")]
                : [.. wrong.Select(w => new CheckResult(Name, w.Prevents ? CheckState.Failed : CheckState.Warning, $"{w.Path} {w.Why}", w.Remedy) { Repair = w.Mode is null ? null : new MendRights(w) })]);
    }
}

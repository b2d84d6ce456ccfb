using OpenShell.Vm.Images.Host;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Debian's packages.</summary>
internal sealed class PackagesCheck : IHostCheck
{
    public string Name => "packages";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var missing = await context.Host.Packages.MissingAsync(null, cancellationToken);
        return missing.Count == 0
            ? [new CheckResult(Name, CheckState.Ok, "all that are needed are installed")]
            : [new CheckResult(Name, CheckState.Failed, $"missing or too old: {string.Join(", ", missing.Select(m => m.Package.Name))}", $"Install them: {HostSetup.SetupCommand}")];
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Debian's packages: those that a machine needs, and where the images are not built yet those that build them.</summary>
internal sealed class PackagesCheck : IHostCheck
{
    public string Name => "packages";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        IReadOnlyList<MissingPackage> missing;
        try
        {
            missing = await context.Host.Packages.MissingAsync(null, cancellationToken);
        }
        catch (FaultException e) when (e.Faults.All(f => f.Code == "setup.unsupported-host"))
        {
            // Not a Debian: what is missing, the other checks say part by part; images come from elsewhere.
            return [new CheckResult(Name, CheckState.Warning, e.Faults[0].What, e.Faults[0].Remedy)];
        }

        if (missing.Count == 0)
            return [new CheckResult(Name, CheckState.Ok, "all that are needed are installed")];
        var hasImages = await context.Host.Images.FindAsync(new ImageRequest { Mode = GuestMode.Cluster }, cancellationToken) is not null;
        var prevents = !hasImages || missing.Any(m => m.Package.NeededFor.Contains(HostPackages.Run));
        return
        [
            new CheckResult(
                Name,
                prevents ? CheckState.Failed : CheckState.Warning,
                $"missing or too old: {string.Join(", ", missing.Select(m => m.Package.Name))}{(prevents ? "" : "; the images are built, so only a new build needs them")}",
                $"Install them: {HostSetup.SetupCommand}")
            {
                Repair = Environment.IsPrivilegedProcess ? new InstallPackages(missing) : null,
            },
        ];
    }
}

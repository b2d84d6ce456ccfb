using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Setup;

/// <summary>A start from a bundle, as far as it is not like every other: nothing is fetched, so what the host lacks is only named.</summary>
internal static class BundleSetup
{
    /// <summary>Verifies the bundle, puts it into the image cache, and returns the configuration that starts from it.</summary>
    /// <exception cref="FaultException">It is damaged or not for this machine, or the host lacks a package.</exception>
    public static async Task<InstanceConfig> PrepareAsync(CommandContext context, InstanceConfig config, string path, CancellationToken cancellationToken)
    {
        await RequirePackagesAsync(context);
        await using var display = ProgressDisplays.Open(context);
        var bundle = await BundleImport.RunAsync(context.Host.Directories, path, new BuildSteps(display), cancellationToken);
        display.ClearAtEnd = true;
        return bundle.Apply(config);
    }

    /// <summary>Refuses options that choose what the bundle has chosen.</summary>
    public static IEnumerable<Fault> Faults(InstanceConfig config)
    {
        foreach (var (option, isGiven) in new[] { ("--kernel", config.Kernel is not null), ("--distribution", config.Distribution is not null), ("--rootfs", config.RootDirectory is not null) })
        {
            if (isGiven)
                yield return UsageFaults.Make($"{option} does not go with --bundle: what is started is in the bundle.", "Leave one of the two away.");
        }
    }

    private static async Task RequirePackagesAsync(CommandContext context)
    {
        IReadOnlyList<MissingPackage> missing;
        try
        {
            missing = await context.Host.Packages.MissingAsync([HostPackages.Run], CancellationToken.None);
        }
        catch (FaultException e) when (e.Faults.All(f => f.Code == "setup.unsupported-host"))
        {
            // Not a Debian. What is missing, the start itself says, part by part.
            return;
        }

        if (missing.Count > 0)
            throw new FaultException([.. missing.Select(Fault)]);
    }

    private static Fault Fault(MissingPackage missing) => new()
    {
        Code = "bundle.host-package-missing",
        What = $"This host lacks the package {missing.Package.Name}{(missing.Package.MinimumVersion is { } least ? $" {least} or newer" : "")}, which {missing.Package.Why}"
            + (missing.Installed is { } old ? $" ({old} is too old)." : ".") + " A bundle does not bring it.",
        Remedy = $"Install it from a medium or a mirror that this host reaches{(missing.Package.Suite is { } suite ? $" (Debian's {suite} has it)" : "")}: apt-get install ./{missing.Package.Name}_*.deb, with what that depends on.",
    };
}

using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Setup;

/// <summary>Nothing is put into the host but packages, and the user reads which and why before it happens.</summary>
internal static class PackageSetup
{
    /// <summary>Makes sure that a start finds what it needs of the host: as root by installing it, otherwise by saying who can.</summary>
    public static async Task EnsureAsync(CommandContext context, InstanceConfig config)
    {
        var request = ImageRequest.For(config);
        IReadOnlyList<MissingPackage> missing;
        try
        {
            missing = await context.Host.Packages.MissingAsync(HostPackages.PurposesOf(request), CancellationToken.None);
        }
        catch (FaultException e) when (e.Faults.All(f => f.Code == "setup.unsupported-host"))
        {
            // Not a Debian. What is missing, the start itself says, part by part.
            return;
        }

        if (missing.Any(m => !m.Package.NeededFor.Contains(HostPackages.Run)) && await context.Host.Images.FindAsync(request) is not null)
            missing = [.. missing.Where(m => m.Package.NeededFor.Contains(HostPackages.Run))];
        if (missing.Count > 0)
            await InstallAsync(context, missing);
    }

    /// <summary>Makes sure that an image build finds everything it may need of the host.</summary>
    public static async Task EnsureForBuildAsync(CommandContext context, ImageRequest request)
    {
        IReadOnlyList<MissingPackage> missing;
        try
        {
            // Of a base image nothing is built but what it takes; otherwise all that images may need is there from then on.
            missing = await context.Host.Packages.MissingAsync(request.BaseImage is null ? null : HostPackages.PurposesOf(request), CancellationToken.None);
            if (request.BaseImage is null && HostPackages.PurposesOf(request).Contains(HostPackages.OtherProcessor))
                missing = [.. missing, .. await context.Host.Packages.MissingAsync([HostPackages.OtherProcessor], CancellationToken.None)];
        }
        catch (FaultException e) when (request.BaseImage is not null && e.Faults.All(f => f.Code == "setup.unsupported-host"))
        {
            // Not a Debian. What is missing, the build itself says, part by part.
            return;
        }

        if (missing.Count > 0)
            await InstallAsync(context, missing);
    }

    /// <summary>Makes sure that a build of this project's own kernel finds what it needs of the host.</summary>
    public static async Task EnsureForKernelAsync(CommandContext context, string? architecture)
    {
        var missing = await context.Host.Packages.MissingAsync([KernelImage.KindOf(architecture)], CancellationToken.None);
        if (missing.Count > 0)
            await InstallAsync(context, missing);
    }

    /// <summary>Says which and why, then installs them.</summary>
    /// <exception cref="FaultException">Not root, or apt failed.</exception>
    public static async Task InstallAsync(CommandContext context, IReadOnlyList<MissingPackage> missing)
    {
        if (!context.Quiet)
            WriteList(context.Host.Error, missing);
        await using var display = ProgressDisplays.Open(context);
        await Interrupts.GuardAsync(async cancellation =>
        {
            await context.Host.Packages.InstallAsync(missing, new BuildSteps(display), cancellation);
            return ExitCodes.Success;
        });
    }

    /// <summary>Which, from where, and why.</summary>
    public static void WriteList(TextWriter writer, IReadOnlyList<MissingPackage> missing)
    {
        writer.WriteLine(missing.Count == 1 ? "This package of Debian's is needed and missing:" : $"These {missing.Count} packages of Debian's are needed and missing:");
        var table = new TextTable("PACKAGE", "FROM", "WHY");
        foreach (var (package, installed) in missing)
            table.Add(package.Name, package.Suite ?? "this Debian", installed is null ? package.Why : $"{package.Why} (version {installed} is too old)");
        table.Write(writer, "  ");
    }
}

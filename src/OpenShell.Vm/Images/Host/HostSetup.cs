namespace OpenShell.Vm.Images.Host;

/// <summary>Finds out which packages this host lacks, and installs them (as root only). Nothing but packages is ever put into the host.</summary>
public static class HostSetup
{
    /// <summary>What a user without root's rights types to have the packages installed.</summary>
    public const string SetupCommand = "sudo ./gateway setup";

    /// <summary>Packages that are missing or too old; empty when the host is ready. Asks dpkg only, no network.</summary>
    /// <exception cref="Faults.FaultException"><c>setup.unsupported-host</c>: not a Debian with apt.</exception>
    public static Task<IReadOnlyList<MissingPackage>> MissingAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Installs what <see cref="MissingAsync"/> names. Say it to the user first.</summary>
    /// <exception cref="Faults.FaultException"><c>setup.not-root</c> with the one command to type; <c>setup.install-failed</c> with apt's log; <c>setup.mirror-unreachable</c>.</exception>
    public static Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

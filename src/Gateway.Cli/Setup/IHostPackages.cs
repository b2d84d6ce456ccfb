using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Gateway.Cli.Setup;

/// <summary>The host's package manager, as far as this program uses it.</summary>
internal interface IHostPackages
{
    /// <inheritdoc cref="HostSetup.MissingAsync(CancellationToken)"/>
    Task<IReadOnlyList<MissingPackage>> MissingAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="HostSetup.InstallAsync"/>
    Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress> progress, CancellationToken cancellationToken);
}

/// <summary>The real one.</summary>
internal sealed class RealHostPackages : IHostPackages
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<MissingPackage>> MissingAsync(CancellationToken cancellationToken) => HostSetup.MissingAsync(cancellationToken);

    /// <inheritdoc/>
    public Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress> progress, CancellationToken cancellationToken) =>
        HostSetup.InstallAsync(missing, progress, cancellationToken);
}

using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Gateway.Cli.Setup;

/// <summary>The host's package manager, as far as this program uses it.</summary>
internal interface IHostPackages
{
    /// <summary>Packages that are missing or too old for these purposes (of <see cref="HostPackages"/>); <see langword="null"/>: for everything but tests and kernels.</summary>
    Task<IReadOnlyList<MissingPackage>> MissingAsync(IReadOnlyCollection<string>? purposes, CancellationToken cancellationToken);

    /// <summary>Installs them, as root.</summary>
    Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress> progress, CancellationToken cancellationToken);
}

/// <summary>The real one.</summary>
internal sealed class RealHostPackages : IHostPackages
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<MissingPackage>> MissingAsync(IReadOnlyCollection<string>? purposes, CancellationToken cancellationToken) =>
        HostSetup.MissingAsync(purposes, cancellationToken);

    /// <inheritdoc/>
    public Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress> progress, CancellationToken cancellationToken) =>
        HostSetup.InstallAsync(missing, progress, cancellationToken);
}

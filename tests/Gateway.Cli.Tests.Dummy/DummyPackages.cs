using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>A package manager that lacks what DUMMY_MISSING names, and may not install it.</summary>
internal sealed class DummyPackages : IHostPackages
{
    public Task<IReadOnlyList<MissingPackage>> MissingAsync(IReadOnlyCollection<string>? purposes, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<MissingPackage>>(
    [
        .. (purposes is null || purposes.Contains("run") ? Environment.GetEnvironmentVariable("DUMMY_MISSING") ?? "" : "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(name => new MissingPackage(new HostPackage { Name = name, Why = "runs the machine", NeededFor = [name.StartsWith("build", StringComparison.Ordinal) ? "root" : "run"] }, null)),
    ]);

    public Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress> progress, CancellationToken cancellationToken) => throw new FaultException(
        new Fault { Code = "setup.not-root", What = "Packages can only be installed by root.", Remedy = $"Run: {HostSetup.SetupCommand}" });
}

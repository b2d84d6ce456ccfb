using System.Globalization;
using OpenShell.Vm.Hypervisors;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Whether gvproxy, which the guest's root can talk to, can be kept from the user's files.</summary>
internal sealed class ConfinementCheck : IHostCheck
{
    public string Name => "landlock";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<CheckResult>>(OperatingSystem.IsLinux() ? [Judge(FileConfinement.SystemVersion)] : []);

    /// <summary>By the version alone.</summary>
    internal static CheckResult Judge(int version) => version > 0
        ? new CheckResult("landlock", CheckState.Ok, string.Create(CultureInfo.InvariantCulture, $"version {version}: gvproxy is let to its own sockets"))
        : new CheckResult("landlock", CheckState.Warning, "the kernel has none: root of a guest can have gvproxy replace any socket of this user's", "Linux 5.13 and later have it; 'lsm=' on the kernel's command line must not leave it out. Run nothing hostile in guests without it.");
}

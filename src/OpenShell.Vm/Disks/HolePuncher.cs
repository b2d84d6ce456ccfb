using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Disks;

/// <summary>Gives zeros in a file back to the host as holes, in place (fallocate(1) of util-linux).</summary>
internal static class HolePuncher
{
    private const string Program = "/usr/bin/fallocate";

    /// <summary>Punches them.</summary>
    /// <exception cref="FaultException"><c>disk.no-holes</c>: the host or its file system cannot.</exception>
    internal static async Task PunchAsync(string file, string log, CancellationToken cancellationToken)
    {
        if (!File.Exists(Program))
            throw CannotPunch($"there is no {Program} on this host");
        await using var child = ChildProcess.Start(new LaunchSpec { Title = "fallocate", Program = Program, Arguments = ["--dig-holes", file], LogFile = log });
        var reason = await child.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (reason.Code != 0)
            throw CannotPunch($"fallocate {reason}{child.LastWords}");
    }

    private static FaultException CannotPunch(string why) => new(new Fault
    {
        Code = "disk.no-holes",
        What = $"The disk cannot be made smaller while nothing runs: {why}.",
        Remedy = "Run 'gateway disk compact' while the instance runs: then the guest gives back what it does not use.",
    });
}

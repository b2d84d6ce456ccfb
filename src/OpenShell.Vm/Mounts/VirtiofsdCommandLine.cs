using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Mounts;

/// <summary>virtiofsd's command line (the one written in Rust, 1.11 and later). Pure; a golden file tests it.</summary>
internal static class VirtiofsdCommandLine
{
    /// <summary>Where distributions put it: it is no program for people.</summary>
    internal static readonly string[] Places = ["/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/local/libexec/virtiofsd"];

    /// <summary>What would run for a folder.</summary>
    internal static LaunchSpec Describe(string program, SharedFolder share, InstanceFiles files) => new()
    {
        Title = "virtiofsd",
        Program = program,
        LogFile = files.VirtiofsdLog,
        Arguments =
        [
            "--socket-path", share.Socket ?? throw new ArgumentException("virtiofsd does not serve it.", nameof(share)),
            "--shared-dir", share.Path,

            // It sees nothing of the host but the folder, whatever the guest makes of it.
            "--sandbox", "namespace",

            // The guest's own cache ends with each close: what the host changes is seen.
            "--cache", "auto",

            // Not left to the guest's mount, which root in the guest can do anew.
            .. share.ReadOnly ? (string[])["--readonly"] : [],
        ],
    };
}

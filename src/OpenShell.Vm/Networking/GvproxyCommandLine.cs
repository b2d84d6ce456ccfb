using System.Globalization;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>gvproxy's command line (0.8.1). Pure; a golden file tests it.</summary>
public static class GvproxyCommandLine
{
    /// <summary>What would run.</summary>
    /// <param name="program">Absolute path of gvproxy.</param>
    /// <param name="files">Where its sockets and its log go.</param>
    /// <param name="datagrams">One frame a datagram, as libkrun wants it on macOS, instead of a stream.</param>
    public static LaunchSpec Describe(string program, InstanceFiles files, bool datagrams = false)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new LaunchSpec
        {
            Title = "gvproxy",
            Program = program,
            LogFile = files.GvproxyLog,
            Confinement = Confinement(program, files),

            // Buffers of connections come and go: Go's heap may grow by half of what lives in it before that is looked at, not to the double, and above 20 MiB in all what is free is given back at once.
            Environment = new Dictionary<string, string> { ["GOGC"] = "50", ["GOMEMLIMIT"] = "20MiB" },
            Arguments =
            [
                // The guest's interface: one connection, frames behind a 4-byte length; gvproxy ends when it is closed.
                .. datagrams ? (string[])["-listen-vfkit", "unixgram://" + files.NetworkSocket] : ["-listen-qemu", "unix://" + files.NetworkSocket],

                // The control API. A Unix socket in a folder of mode 0700: not reachable by other users of the host.
                "-listen", "unix://" + files.NetworkControlSocket,

                // No SSH forward: unless told, it opens 127.0.0.1:2222, and a second instance then ends, with exit code 0.
                "-ssh-port", "-1",

                "-mtu", GuestNetworkPlan.Mtu.ToString(CultureInfo.InvariantCulture),
            ],
        };
    }

    /// <summary>
    /// What it needs of the host's files and no more: from the guest its control API can be reached (192.168.127.1:80), which listens on any path that it is told and reads keys for SSH.
    /// </summary>
    private static FileConfinement Confinement(string program, InstanceFiles files) => new(
        Readable:
        [
            // Itself, and what lies beside it, unless that is the user's home; what starts it; names, wherever a resolver has its own; what Go's runtime asks the system.
            program, .. OwnFolder(program, files), "/usr", "/bin", "/lib", "/lib64", "/nix/store", "/gnu/store",
            "/etc", "/etc/hosts", "/etc/resolv.conf", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/netconfig", "/run/connman", "/proc", "/sys/kernel/mm",
        ],
        Writable: ["/dev/null"],
        SocketFolders: [files.NetworkFolder]);

    private static IEnumerable<string> OwnFolder(string program, InstanceFiles files) =>
        Path.GetDirectoryName(program) is { Length: > 1 } folder && !files.Root.StartsWith(folder + "/", StringComparison.Ordinal) ? [folder] : [];
}

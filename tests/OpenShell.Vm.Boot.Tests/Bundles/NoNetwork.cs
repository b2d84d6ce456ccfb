using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Bundles;

/// <summary>Programs in a network namespace that has nothing but its own loopback (https://man7.org/linux/man-pages/man7/network_namespaces.7.html).</summary>
internal static class NoNetwork
{
    // An ordinary user may have a network namespace only within a user namespace.
    private static readonly string[] Namespaces = Environment.IsPrivilegedProcess ? ["--net"] : ["--user", "--map-root-user", "--net"];

    /// <summary>Runs a program in a namespace made for it; what it leaves behind stays there.</summary>
    public static Task<Finished> RunAsync(IReadOnlyDictionary<string, string?> environment, TimeSpan timeout, params IReadOnlyList<string> command) =>
        HostProgram.RunAsync("unshare", [.. Namespaces, "--", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", .. command], timeout, environment);

    /// <summary>Runs a program in the namespace of a process.</summary>
    public static Task<Finished> JoinAsync(int process, IReadOnlyDictionary<string, string?> environment, params IReadOnlyList<string> command) =>
        HostProgram.RunAsync(
            "nsenter", ["--target", $"{process}", .. Environment.IsPrivilegedProcess ? (string[])[] : ["--user", "--preserve-credentials"], "--net", "--", .. command], TimeSpan.FromMinutes(2), environment);
}

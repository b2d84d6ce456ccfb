namespace OpenShell.Vm.Guest.Boot;

/// <summary>Kernel settings, each with its reason.</summary>
internal static class Sysctls
{
    /// <summary>For every guest.</summary>
    public static IReadOnlyList<(string Name, string Value)> Always { get; } =
    [
        // An ordinary user's ping without a capability, as Debian has it.
        ("net/ipv4/ping_group_range", "0 2147483647"),
        // A panic must end the machine at once: the host notices, and restarts it or says so.
        ("kernel/panic", "-1"),
        ("kernel/panic_on_oops", "1"),
    ];

    /// <summary>For a cluster.</summary>
    public static IReadOnlyList<(string Name, string Value)> Cluster { get; } =
    [
        // Pods reach one another, and the world, through the guest.
        ("net/ipv4/ip_forward", "1"),
        // Services are rules of the packet filter; traffic on the bridge must pass it (module br_netfilter).
        ("net/bridge/bridge-nf-call-iptables", "1"),
        // What the kubelet checks, and would set itself (--protect-kernel-defaults).
        ("vm/overcommit_memory", "1"),
        ("vm/panic_on_oom", "0"),
        ("kernel/keys/root_maxkeys", "1000000"),
        ("kernel/keys/root_maxbytes", "25000000"),
        // Watches of log files and configuration: the defaults (128 instances) run out with a few dozen pods.
        ("fs/inotify/max_user_instances", "8192"),
        ("fs/inotify/max_user_watches", "524288"),
    ];

    /// <summary>Applies settings; one that a kernel does not know is left out, since nothing stops working without it that a check elsewhere does not name.</summary>
    public static void Apply(IReadOnlyList<(string Name, string Value)> settings)
    {
        foreach (var (name, value) in settings)
        {
            try
            {
                File.WriteAllText("/proc/sys/" + name, value);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                KernelConsole.Say($"sysctl {name}={value}: {exception.Message}");
            }
        }
    }
}

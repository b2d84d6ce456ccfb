using System.Globalization;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>
/// Does once, in namespaces of its own, what the cluster is going to do: makes the interfaces of a pod, loads the kinds of rules that kube-proxy and the CNI
/// plugins write, mounts the layers of a container. <see cref="CapabilityCheck"/> sees what a kernel says of itself; this sees whether it is true, before a
/// component fails for it minutes later and in its own words. <c>gateway kernel check</c> tries each capability alone, and many more.
/// </summary>
internal static class CapabilityTrial
{
    private const string ScriptFile = GuestPaths.Run + "/trial.sh";

    /// <summary>What begins the line that names the step under way.</summary>
    private const string Mark = "trying: ";

    /// <summary>For a processor that is emulated and has much else to do; it takes some tenths of a second.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // Debian's nft and iptables-nft, by their links.
    private static readonly string[] Programs = ["/usr/sbin/nft", "/usr/sbin/iptables-nft-restore"];

    /// <summary>What its outcome depends on: this build of the kernel, the steps, and the programs that make them. A trial that passed need not be made again with the same.</summary>
    public static string Identity() => Marker.HashOf(
    [
        File.ReadAllText("/proc/version"),
        Script(Steps),
        .. Programs.Select(path => File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path))
            .Select(program => program.Exists ? string.Create(CultureInfo.InvariantCulture, $"{program.FullName} {program.Length} {program.LastWriteTimeUtc:O}") : program.FullName),
    ]);

    /// <summary>Tries all of it.</summary>
    /// <exception cref="GuestFaultException">A step failed: the cluster would fail at it too.</exception>
    public static async Task RunAsync(Tool tool)
    {
        await File.WriteAllTextAsync(ScriptFile, Script(Steps)).ConfigureAwait(false);
        var result = await tool.RunAsync("trial", Patience, Command(ScriptFile)).ConfigureAwait(false);
        if (!result.IsSuccess)
        {
            throw new GuestFaultException(
                "guest.kernel-capability-fails",
                $"this kernel ({KernelConfig.Release}) fails at what a cluster does: {Explain(result.Output)}.",
                "Use a kernel that can ('gateway kernel check' tells which option is missing), or list its modules in the image.");
        }
    }

    /// <summary>What runs the script: without a trace in the guest's own network, mounts and names.</summary>
    internal static string[] Command(string script) => ["/usr/bin/unshare", "--net", "--mount", "--ipc", "--uts", "--fork", "/bin/sh", "-e", script];

    /// <summary>The steps, each with what a person calls it.</summary>
    internal static IReadOnlyList<(string Name, string Commands)> Steps { get; } =
    [
        ("overlay mounts (CONFIG_OVERLAY_FS)", "mount -t tmpfs t /mnt; cd /mnt; mkdir l u w m; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m; : > m/f; test -e u/f"),
        ("namespaces of a pod (CONFIG_PID_NS and others)", "unshare --net --pid --ipc --uts --cgroup --fork true"),
        ("a pod's interfaces (CONFIG_VETH, CONFIG_BRIDGE)", "printf '%s\\n' 'link add name cni type bridge' 'link add name pod0 type veth peer name pod1' 'link set dev pod0 master cni up' 'link set dev cni up' 'link set dev lo up' | ip -batch -"),
        ("rules of nftables (CONFIG_NF_TABLES, NFT_CT, NFT_NAT, NFT_MASQ, NFT_FIB_INET, NFT_REJECT_INET, NFT_LIMIT, NF_TABLES_NETDEV)", Rules("nft -f -", """
            table inet t {
              set s { type ipv4_addr; flags interval; elements = { 203.0.113.0/25 } }
              map m { type ipv4_addr . inet_proto . inet_service : verdict; }
              chain j { ip saddr @s counter reject with tcp reset; }
              chain f { type filter hook forward priority filter; ct state established accept; ip daddr . meta l4proto . th dport vmap @m; fib daddr type local limit rate 5/second jump j; }
              chain d { type nat hook prerouting priority dstnat; ip daddr 203.0.113.1 meta l4proto tcp dnat ip to 10.42.0.2:8080; }
              chain p { type nat hook postrouting priority srcnat; meta mark & 0x4000 == 0x4000 masquerade fully-random; }
            }
            table netdev t { chain e { type filter hook egress device "pod0" priority filter; counter drop; }; }
            """)),
        ("rules of iptables over nftables (CONFIG_NFT_COMPAT, CONFIG_NETFILTER_XT_*)", Rules("iptables-nft-restore", """
            *filter
            -A FORWARD -m comment --comment x -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            -A FORWARD -p tcp -m multiport --dports 80,443 -j REJECT --reject-with icmp-port-unreachable
            COMMIT
            *nat
            -A PREROUTING -m addrtype --dst-type LOCAL -m statistic --mode random --probability 0.5 -j RETURN
            -A PREROUTING -p tcp -m recent --name S --rcheck --seconds 10800 --reap -j DNAT --to-destination 10.42.0.2:8080
            -A OUTPUT -m mark ! --mark 0x4000/0x4000 -j MARK --set-xmark 0x4000/0x4000
            -A POSTROUTING -j MASQUERADE --random-fully
            COMMIT
            """)),
    ];

    /// <summary>A script that ends with the first step that fails.</summary>
    internal static string Script(IEnumerable<(string Name, string Commands)> steps) =>
        string.Concat(steps.Select(s => $"echo \"{Mark}{s.Name}\"\n{s.Commands}\n"));

    /// <summary>The step that failed, from all that the script printed, and what was said of it.</summary>
    internal static string Explain(string output)
    {
        var begin = output.LastIndexOf(Mark, StringComparison.Ordinal);
        if (begin < 0)
            return output.Length > 0 ? output : "the trial did not begin";
        var lines = output[(begin + Mark.Length)..].Split('\n', 2, StringSplitOptions.TrimEntries);
        return lines.Length > 1 && lines[1].Length > 0 ? $"{lines[0]}: {lines[1].ReplaceLineEndings("; ")}" : lines[0];
    }

    private static string Rules(string command, string rules) => $"{command} <<'END'\n{rules}\nEND";
}

using System.Text;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// The capability check as one shell script for a guest, and the reading of what it says. The guest's image has all that the tests use (util-linux, iproute2,
/// nftables, iptables, conntrack); the kernel is what is tested. Pure.
/// </summary>
public static class KernelCheck
{
    private const string ReleaseWord = "release", WorksWord = "works", FailsWord = "fails";

    // A test that hangs must not take the others with it.
    private const int SecondsPerTest = 20;

    /// <summary>What runs the script, which is its stdin.</summary>
    public static ExecRequest Request { get; } = new() { Program = "/bin/sh", Arguments = ["-s"], Stdin = true };

    /// <summary>The script: one line of output for each capability.</summary>
    public static string Script(IReadOnlyList<KernelCapability> capabilities)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        var script = new StringBuilder();
        script.Append(System.Globalization.CultureInfo.InvariantCulture, $$"""
            PATH=/usr/sbin:/usr/bin:/sbin:/bin
            export PATH
            mkdir -p /tmp/check
            probe() {
              if said=$(timeout {{SecondsPerTest}} unshare --net --mount --ipc --uts --fork sh -ec "mount -t tmpfs t /tmp/check; cd /tmp/check; $2" 2>&1 < /dev/null)
              then echo "{{WorksWord}} $1"
              else echo "{{FailsWord}} $1 $(printf '%s' "$said" | grep . | tail -n 1)"
              fi
            }
            echo "{{ReleaseWord}} $(uname -r)"

            """);
        foreach (var capability in capabilities)
            script.Append(System.Globalization.CultureInfo.InvariantCulture, $"probe {capability.Name} '{capability.Test.Replace("'", "'\\''", StringComparison.Ordinal)}'\n");
        return script.ToString();
    }

    /// <summary>Reads what the script wrote.</summary>
    /// <exception cref="InvalidDataException">It did not come to its end.</exception>
    public static KernelReport Read(IReadOnlyList<KernelCapability> capabilities, string output)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        ArgumentNullException.ThrowIfNull(output);
        var lines = output.Split('\n').Select(l => l.Split(' ', 3)).Where(w => w.Length >= 2).ToList();
        var release = lines.FirstOrDefault(w => w[0] == ReleaseWord)?[1] ?? throw new InvalidDataException("the check did not begin");
        var said = lines.Where(w => w[0] is WorksWord or FailsWord).ToDictionary(w => w[1], StringComparer.Ordinal);
        return new KernelReport(release, [.. capabilities.Select(c => said.TryGetValue(c.Name, out var words)
            ? new KernelFinding(c, words[0] == WorksWord, words.Length > 2 && words[2].Length > 0 ? words[2] : null)
            : throw new InvalidDataException($"the check ended before {c.Name}"))]);
    }
}

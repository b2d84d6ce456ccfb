using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>What is done to a resumed machine itself, apart from what runs on it. A guest's own; tests replace what no test may do to its host.</summary>
internal sealed record ResumedMachine
{
    /// <summary>The clock, in nanoseconds since the Unix epoch.</summary>
    public Func<long> Now { get; init; } = static () => DateTimeOffset.UtcNow.ToUnixTimeNanoseconds();

    /// <summary>Sets it.</summary>
    public Action<long> SetClock { get; init; } = ClockAndEntropy.SetClock;

    /// <summary>Reseeds the kernel's randomness, and this process's; answers with what did not succeed.</summary>
    public Func<byte[], IReadOnlyList<string>> Reseed { get; init; } = ReseedAll;

    /// <summary>Cuts connections to peers outside of the machine with that address; answers with what did not succeed.</summary>
    public Func<string?, IReadOnlyList<string>> CutConnections { get; init; } = static address => OutsideConnections.Cut(address) is { } problem ? [problem] : [];

    /// <summary>The same for those that pods made in networks of their own; takes the machine's address and its gateway's.</summary>
    public Func<string?, string?, IReadOnlyList<string>> CutPodConnections { get; init; } = OutsideConnections.CutInPods;

    private static IReadOnlyList<string> ReseedAll(byte[] entropy)
    {
        var problems = new List<string>();
        if (!ClockAndEntropy.Credit(entropy) || !ClockAndEntropy.Reseed())
            problems.Add("the kernel's randomness was not reseeded; the console says why");
        // After the kernel's, of which it takes.
        if (!OpenSslRandom.Stir(entropy))
            problems.Add("the randomness of PID 1 was not stirred: there is no OpenSSL 3");
        return problems;
    }
}

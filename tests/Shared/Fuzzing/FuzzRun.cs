namespace OpenShell.Tests.Fuzzing;

/// <summary>Everything that is fuzzed, with how many cases there are of it in every run of the tests, and what one of them may cost.</summary>
/// <param name="What">What is fuzzed.</param>
/// <param name="Cases">How many cases.</param>
/// <param name="MostMib">MiB that one case allocates at most, both sides and the test itself included, whether or not it is given back meanwhile: so it never has more than that.</param>
internal sealed record FuzzRun(string What, int Cases, int MostMib)
{
    /// <summary>All of them together: fewer prove little.</summary>
    public const int FewestCases = 100_000;

    public static FuzzRun Reader { get; } = new("frame reader", 64_000, 16);

    public static FuzzRun Session { get; } = new("session", 26_000, 16);

    public static FuzzRun Handshake { get; } = new("handshake", 6_000, 16);

    public static FuzzRun Host { get; } = new("host's agent", 3_000, 16);

    public static FuzzRun Supervisor { get; } = new("supervisor", 600, 64);

    public static FuzzRun Guest { get; } = new("guest's server", 1_000, 16);

    public static FuzzRun Broker { get; } = new("broker", 600, 16);

    /// <summary>In the tests of the protocol, and in those of the host and the guest.</summary>
    public static IReadOnlyList<FuzzRun> All { get; } = [Reader, Session, Handshake, Host, Supervisor, Guest, Broker];
}

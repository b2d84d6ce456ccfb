using OpenShell.Tests.Fuzzing;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>The real supervisor behind the real protocol, with a guest that lies: whatever it says, the supervisor comes to its end, by a reason that can be told, and nothing is touched but the instance's own files, which are whole.</summary>
[Collection(typeof(Alone))]
public sealed class SupervisorFuzzTests : IDisposable
{
    // What a guest sends in either life, but for the last of it.
    private static readonly string[] Booted =
    [
        "the handshake", "Open", "End", "Reset", "Pong", "Message 0x01", "Message 0x11", "Message 0x12", "Message 0x13", "Message 0x14", "Message 0x20", "Message 0x21", "Message 0x30",
        "Message 0x40", "Message 0x41", "Message 0x42", "Message 0x43",
    ];

    private static readonly string[] Resumed = ["the handshake", "Open", "End", "Message 0x01", "Message 0x20", "Message 0x21", "Message 0x30"];

    private readonly LifePlace _place = new();
    private string? _failure;

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task Whatever_a_guest_says_its_supervisor_ends_with_a_reason_and_its_files_are_whole()
    {
        // Whether such a life waits for the rest of a frame, or hangs, is not known yet.
        if (Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KERNEL") is not "build")
            Assert.Skip("of some thousand lives one is not seen to have read on within its limit, and it is not known why: './test --full' lives them, and may fail by that");
        var (booted, howBooted) = await LiveAsync(0, [], null);
        var (resumed, howResumed) = await LiveAsync(1, [], null);
        (howBooted, howResumed).ShouldBe(("ready, Suspended", "ready, Stopped"));
        int[] frames = [booted.Frames.Count, resumed.Frames.Count];
        (int Life, string State)[] states = [.. Booted.Select(state => (0, state)), .. Resumed.Select(state => (1, state))];
        _place.Watch();

        var reached = new Reached("supervisor");
        var unchanged = 0;
        var inEachState =
            from state in Enumerable.Range(0, states.Length)
            from kind in Enum.GetValues<MutationKind>()
            select new FuzzCase(frames.Length + state, 1, [new Mutation(kind, 0, Random.Shared.Next())]);

        // What is still well-formed goes furthest: of each answer, some value.
        var inEachFrame =
            from number in Enumerable.Range(0, frames.Length)
            from at in Enumerable.Range(0, frames[number])
            select new FuzzCase(number, 1, [new Mutation(MutationKind.Value, at, Random.Shared.Next())]);
        FuzzCases.Check(FuzzRun.Supervisor, frames.Length, inEachState.Concat(inEachFrame), input => Holds(input, async () =>
        {
            var (number, behind) = input.Session < frames.Length ? (input.Session, null) : states[input.Session - frames.Length];
            var (life, outcome) = await LiveAsync(number, [.. input.Mutations.Select(mutation => mutation with { At = mutation.At % frames[number] })], behind);
            if (life.State is { } state)
                reached.Add($"{(number == 0 ? "booted" : "resumed")}, behind {state}", outcome);
            else
                unchanged++;
        }));

        reached.Print();
        _failure.ShouldBeNull();
        reached.Outcomes.Where(outcome => outcome.Contains("instance.internal", StringComparison.Ordinal)).ShouldBeEmpty("each is met with a reason of its own");
        unchanged.ShouldBeLessThan(FuzzRun.Supervisor.Cases / 20, "lives that ended before anything was changed");
        reached.ShouldBeIn(states.Select(state => $"{(state.Life == 0 ? "booted" : "resumed")}, behind {state.State}"));
    }

    private async Task<(HostileLife Life, string Outcome)> LiveAsync(int number, IReadOnlyList<Mutation> mutations, string? behind)
    {
        _place.Begin();
        var life = new HostileLife(_place, mutations, behind);
        if (number == 1)
            await _place.SuspendAsync(TestContext.Current.CancellationToken);
        var outcome = await (number == 0 ? life.BootAsync() : life.ResumeAsync());
        _place.ShouldBeWhole();
        return (life, outcome);
    }

    /// <summary>The case as a property: its first failure is kept, since FsCheck tells only the case.</summary>
    private bool Holds(FuzzCase input, Func<Task> work)
    {
        try
        {
            work().GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e)
        {
            _failure ??= $"{input}: {e}\n{(File.Exists(_place.Files.SupervisorLog) ? File.ReadAllText(_place.Files.SupervisorLog) : "")}";
            throw;
        }
    }
}

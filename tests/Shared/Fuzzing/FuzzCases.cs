using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace OpenShell.Tests.Fuzzing;

/// <summary>A session, and what is done to it.</summary>
internal sealed record FuzzCase(int Session, int Pieces, Mutation[] Mutations)
{
    public override string ToString() => $"session {Session} in pieces of {Pieces}: {string.Join(", ", Mutations.AsEnumerable())}";
}

/// <summary>Makes cases, and runs as many as are asked for; the seed of one that fails is in the message, and repeats it.</summary>
internal static class FuzzCases
{
    /// <summary>Names the file to which the number of cases is added, for who adds up those of several programs.</summary>
    private const string CountVariable = "OPENSHELL_VM_TEST_FUZZED";

    /// <summary>What a run may leave in memory: pools of buffers, and what the runtime keeps of what it has compiled.</summary>
    private const long MostLeft = 32L << 20;

    /// <summary>Any case of some sessions.</summary>
    public static Arbitrary<FuzzCase> Of(int sessions) => (
        from session in Gen.Choose(0, sessions - 1)
        from pieces in Gen.Choose(1, 4000)
        from count in Gen.Choose(1, 4)
        from mutations in Mutations.ArrayOf(count)
        select new FuzzCase(session, pieces, mutations)).ToArbitrary();

    private static Gen<Mutation> Mutations { get; } =
        from kind in Gen.Elements(Enum.GetValues<MutationKind>())
        from at in Gen.Choose(0, 1 << 20)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select new Mutation(kind, at, seed);

    /// <summary>Every kind of change at the first and the last frame of each state: chance alone may leave one out.</summary>
    public static IEnumerable<FuzzCase> InEachState(IReadOnlyList<IReadOnlyList<RecordedFrame>> sessions) =>
        from session in Enumerable.Range(0, sessions.Count)
        from at in Enumerable.Range(0, sessions[session].Count).GroupBy(at => RecordedFrame.StateAt(sessions[session], at)).SelectMany(state => new[] { state.First(), state.Last() }.Distinct())
        from kind in Enum.GetValues<MutationKind>()
        select new FuzzCase(session, 1 + (at * 37 % 4000), [new Mutation(kind, at, Random.Shared.Next())]);

    /// <summary>Runs as many cases as the run has: those that are named, and for the rest any. Each must hold and keep to its memory; what it was is printed.</summary>
    public static void Check(FuzzRun run, int sessions, IEnumerable<FuzzCase> first, Func<FuzzCase, bool> holds)
    {
        var (count, largest) = (0, 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var input in first.Take(run.Cases))
            Holds(input).ShouldBeTrue($"{run.What}: {input}");
        if (count < run.Cases)
            FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(run.Cases - count), Prop.ForAll(Of(sessions), Holds));

        var left = GC.GetTotalMemory(forceFullCollection: true) - before;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.What}: {count} cases; the largest allocated {largest / 1048576.0:0.0} of {run.MostMib} MiB, {left / 1048576.0:0.0} MiB are left behind"));
        count.ShouldBe(run.Cases);
        left.ShouldBeLessThan(MostLeft, "what ended cases leave behind");
        if (Environment.GetEnvironmentVariable(CountVariable) is { Length: > 0 } file)
            File.AppendAllText(file, string.Create(CultureInfo.InvariantCulture, $"{count}\n"));

        bool Holds(FuzzCase input)
        {
            count++;
            var allocated = GC.GetTotalAllocatedBytes();
            var held = holds(input);
            allocated = GC.GetTotalAllocatedBytes() - allocated;
            largest = Math.Max(largest, allocated);
            allocated.ShouldBeLessThan((long)run.MostMib << 20, $"bytes that were allocated by {input}");
            return held;
        }
    }
}

/// <summary>Which states were reached, and how often; printed at the end.</summary>
internal sealed class Reached(string what)
{
    private readonly Dictionary<string, SortedDictionary<string, int>> _states = new(StringComparer.Ordinal);
    private int _cases;

    public IEnumerable<string> States => _states.Keys;

    public IEnumerable<string> Outcomes => _states.Values.SelectMany(o => o.Keys).Distinct();

    /// <summary>Counts one.</summary>
    public void Add(string state, string outcome)
    {
        lock (_states)
        {
            _cases++;
            if (!_states.TryGetValue(state, out var outcomes))
                _states[state] = outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }
    }

    /// <summary>Prints the table.</summary>
    public void Print()
    {
        Console.Out.WriteLine($"{what}: {_cases} outcomes in {_states.Count} states");
        foreach (var (state, outcomes) in _states.OrderBy(s => s.Key, StringComparer.Ordinal))
            Console.Out.WriteLine($"  {state}: {outcomes.Values.Sum()} ({string.Join(", ", outcomes.Select(o => $"{o.Key} {o.Value}"))})");
    }

    /// <summary>These were reached, and no others: a state that is new is one to be listed.</summary>
    public void ShouldBeIn(IEnumerable<string> states) => States.ShouldBe(states, ignoreOrder: true);
}

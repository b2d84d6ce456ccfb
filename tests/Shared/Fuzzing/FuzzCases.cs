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

    /// <summary>Runs them.</summary>
    public static void Check(int cases, int sessions, Func<FuzzCase, bool> holds) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(cases), Prop.ForAll(Of(sessions), holds));
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
            Console.Out.WriteLine($"  {state}: {string.Join(", ", outcomes.Select(o => $"{o.Key} {o.Value}"))}");
    }
}

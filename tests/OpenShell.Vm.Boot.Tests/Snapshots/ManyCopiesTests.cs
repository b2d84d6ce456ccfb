using System.Globalization;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>Many copies in a row: each answers, is a whole cluster, and is a stranger to the one before.</summary>
public sealed class ManyCopiesTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_RESUMES") is { Length: > 0 } given ? given : "50", CultureInfo.InvariantCulture);

    public async ValueTask InitializeAsync() => await golden.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Each_of_many_is_whole_and_a_stranger_to_the_one_before()
    {
        Requirements.SkipUnlessFull($"{Count} copies that are looked at closely take an hour: './test --full' does it, OPENSHELL_VM_TEST_RESUMES says how many");
        var checks = new CopyChecks(golden);
        var (ids, randoms) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        CopyChecks.Taken? before = null;
        for (var number = 1; number <= Count; number++)
        {
            var name = Name(number);
            var (id, random) = await checks.IsWholeAsync(name, before);
            ids.Add(id).ShouldBeTrue($"{name}'s machine id is another's");
            randoms.Add(random).ShouldBeTrue($"{name}'s randomness is another's");
            if (before is not null)
                (await golden.Gateway.RunAsync("delete", "--name", before.Name)).OrFail();
            before = await checks.TakeAsync(name);
            (await golden.Gateway.RunAsync("stop", "--name", name, "--force")).OrFail();
            Console.Out.WriteLine($"copy {number} of {Count} is whole");
        }
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"copy-{number}");
}

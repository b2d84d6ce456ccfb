using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Tests;

/// <summary>What bench/README.md lists as promised is judged by the benchmark that measures it.</summary>
public sealed class PromiseTests
{
    private static readonly double[] Any = [1];

    private static Dictionary<string, IReadOnlyList<Measurement>> Tables { get; } = new()
    {
        ["program"] = ProgramBoot.Rows(Any, Any, Any, without: null),
        ["resume"] = ResumeStart.Rows(Any, Any, Any),
        ["clone"] = Clones.Rows(Any, Any, [new Clones.Size(1, 2, 3)], [new Clones.Size(1, 2, 3)]),
        ["suspend"] = Suspension.Rows(Any, Any, Any, Any, Any),
        ["warm"] = WarmBoot.Rows(Any, Any),
        ["command"] =
        [
            .. CommandCost.MemoryRows(Any, Any, Any, Any),
            .. CommandCost.CommandRows(((string[])["kubectl version --client", "kubectl --help", "gateway status", "gateway list", "gateway --help"]).ToDictionary(name => name, _ => new List<double>(Any))),
        ],
        ["control-plane"] = ControlPlane.Rows([], [], without: "not there"),
    };

    public static TheoryData<string> Names { get; } = [.. Tables.Keys];

    [Theory]
    [InlineData("program", "gateway --exec /bin/true", "4.00 s")]
    [InlineData("resume", "gateway up --detach, a copy of a golden image", "450.0 ms")]
    [InlineData("resume", "bare copy: disk, gvproxy, QEMU, load, the agent's first answer", "300.0 ms")]
    [InlineData("clone", "eight copies at once, until all have answered", "4.00 s")]
    [InlineData("clone", "memory of each of eight copies", "130.0 MiB")]
    [InlineData("suspend", "gateway suspend", "3.00 s")]
    [InlineData("command", "memory of supervisor and gvproxy", "80.0 MiB")]
    [InlineData("command", "gateway status", "150.0 ms")]
    [InlineData("command", "gateway list", "150.0 ms")]
    [InlineData("command", "gateway --help", "100.0 ms")]
    public void What_is_promised_is_printed_beside_what_was_measured(string benchmark, string what, string limit) =>
        Figures.Budget(Tables[benchmark].Single(row => row.What == what)).ShouldContain($" {limit} (");

    [Fact]
    public void A_warm_start_is_judged_by_the_cold_one()
    {
        Figures.Peer(WarmBoot.Rows([10], [8])[1], WarmBoot.Rows([10], [8])).ShouldBe("0.80x of 'gateway up, new disk', within 0.80x");
        Figures.Peer(WarmBoot.Rows([10], [9])[1], WarmBoot.Rows([10], [9])).ShouldEndWith("OVER 0.80x");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_row_is_compared_with_is_a_row_of_the_same_table(string benchmark)
    {
        var rows = Tables[benchmark];

        rows.Select(row => row.What).ShouldBeUnique();
        rows.Select(row => row.Baseline).OfType<string>().ShouldBeSubsetOf(rows.Select(row => row.What));
    }
}

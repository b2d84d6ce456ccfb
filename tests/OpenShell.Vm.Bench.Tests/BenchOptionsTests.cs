namespace OpenShell.Vm.Bench.Tests;

public sealed class BenchOptionsTests
{
    private static BenchOptions Parse(params string[] words) => BenchOptions.Parse(words, ["resume", "clone"]);

    [Fact]
    public void Nothing_means_everything()
    {
        Parse().Wants("resume").ShouldBeTrue();
        Parse("clone").Wants("resume").ShouldBeFalse();
        Parse("clone").Wants("clone").ShouldBeTrue();
    }

    [Fact]
    public void Options_and_names_may_be_mixed()
    {
        var options = Parse("resume", "--runs", "40", "--json", "a.json", "clone", "--svg", "b.svg", "--write", "c.md", "--with", "d.json", "--list");

        options.Names.ShouldBe(["resume", "clone"]);
        (options.Runs, options.Json, options.Svg, options.Page, options.Earlier, options.List).ShouldBe(((int?)40, "a.json", "b.svg", "c.md", "d.json", true));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("--json")]
    [InlineData("--json", "--svg", "b.svg")]
    [InlineData("--runs", "0")]
    [InlineData("--runs", "many")]
    public void What_is_not_understood_is_told_with_the_usage(params string[] words) =>
        Should.Throw<BenchException>(() => Parse(words)).Message.ShouldContain(BenchOptions.Usage);
}

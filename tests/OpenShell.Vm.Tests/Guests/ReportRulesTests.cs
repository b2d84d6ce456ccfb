using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Guests;

/// <summary>Reports of a guest that is not what it seems to be: what is shown of them drives no terminal, and what is kept has an end.</summary>
public sealed class ReportRulesTests
{
    private static readonly StageReport Some = new() { Stage = "init", State = StageState.Started, UptimeNanoseconds = 1 };

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("services/\u001b[2J")]
    [InlineData("services/caf\u00e9")]
    [InlineData("a\nb")]
    public void A_stage_that_has_no_name_is_none(string stage) => new ReportRules().Accept(Some with { Stage = stage }).ShouldBeNull();

    [Fact]
    public void What_no_guest_says_is_not_taken()
    {
        var rules = new ReportRules();

        rules.Accept(Some with { Stage = new string('s', ReportRules.LongestStage + 1) }).ShouldBeNull();
        rules.Accept(Some with { State = (StageState)77 }).ShouldBeNull();
        rules.Accept(Some with { UptimeNanoseconds = -1 }).ShouldBeNull();
        rules.Accept(Some).ShouldBe(Some);
    }

    [Fact]
    public void Texts_are_cleaned_and_have_an_end()
    {
        var report = new ReportRules().Accept(Some with { Detail = "\u001b]0;owned\u0007", Fault = new GuestFault("c", "w\u009b31m", new string('r', 100_000)) }).ShouldNotBeNull();

        report.Detail.ShouldBe(" ]0;owned ");
        report.Fault.ShouldNotBeNull().What.ShouldBe("w 31m");
        report.Fault.Remedy.Length.ShouldBeLessThan(ReportRules.LongestText + 10);
    }

    [Fact]
    public void New_stages_have_an_end_and_those_that_are_known_go_on()
    {
        var rules = new ReportRules();
        for (var i = 0; i < 10_000; i++)
            (rules.Accept(Some with { Stage = $"services/{i}" }) is not null).ShouldBe(i < ReportRules.MostStages);

        rules.Accept(Some with { Stage = "services/7", State = StageState.Failed }).ShouldNotBeNull();
    }

    [Fact(Timeout = 60_000)]
    public async Task Over_the_real_channel_they_are_held_to_it()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        foreach (var report in (StageReport[])[Some with { Stage = "bad stage" }, Some with { Detail = "\u001b[2J" }, Some with { Stage = "last" }])
            await guest.Server.ReportAsync(report, TestContext.Current.CancellationToken);

        await Eventually.BeTrueAsync(() => guest.Reports.Any(r => r.Stage == "last"), "the last report");
        guest.Reports.Select(r => (r.Stage, r.Detail)).ShouldBe([("init", " [2J"), ("last", null)]);
    }
}

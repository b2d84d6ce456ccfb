using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Supervision.Watching;

public sealed class ForwardWatchTests
{
    private static readonly PortForward Web = new() { HostPort = 8080, GuestPort = 80 }, Gateway = new() { HostPort = 30051, GuestPort = 30051 };

    private readonly Forwards _forwards = new();
    private readonly List<(string Name, string? Subject)> _events = [];
    private readonly List<string> _said = [];

    [Fact]
    public async Task Those_that_are_well_are_left_alone()
    {
        var watch = Watch();
        await LookAsync(watch, 20);
        _events.ShouldBeEmpty();
        _forwards.Remade.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_gvproxy_does_not_know_any_more_is_told_and_made_again()
    {
        var watch = Watch();
        _forwards.InForce.Remove(Web);
        await LookAsync(watch);
        _events.ShouldBeEmpty();
        await LookAsync(watch);
        _forwards.Remade.ShouldBe([Web]);
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:8080"), (EventNames.ForwardRemade, "127.0.0.1:8080")]);
        await LookAsync(watch, 5);
        _events.Count.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_is_missing_for_a_moment_is_no_news()
    {
        var watch = Watch();
        for (var i = 0; i < 3; i++)
        {
            _forwards.InForce.Remove(Web);
            await LookAsync(watch);
            _forwards.InForce.Add(Web);
            await LookAsync(watch);
        }

        _events.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_on_which_nobody_listens_is_made_again()
    {
        var watch = Watch();
        _forwards.NotListening.Add(Web);
        await LookAsync(watch, 2);
        _forwards.Remade.ShouldBe([Web]);
    }

    [Fact]
    public async Task One_that_cannot_be_made_again_is_told_once_and_tried_until_it_can()
    {
        var watch = Watch();
        _forwards.InForce.Remove(Web);
        _forwards.Refusal = new FaultException(new Fault { Code = "network.port-busy", What = "w", Remedy = "r" });
        await LookAsync(watch);
        for (var i = 0; i < 3; i++)
            await Should.ThrowAsync<FaultException>(() => LookAsync(watch));
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:8080")]);
        _forwards.Refusal = null;
        await LookAsync(watch);
        _events[^1].ShouldBe((EventNames.ForwardRemade, "127.0.0.1:8080"));
    }

    [Fact]
    public async Task One_that_cannot_be_made_again_keeps_nobody_from_making_those_behind_it()
    {
        var watch = Watch();
        _forwards.InForce.Clear();
        _forwards.Refusal = new FaultException(new Fault { Code = "network.port-busy", What = "w", Remedy = "r" });
        _forwards.Refused = Gateway;
        await LookAsync(watch);
        await Should.ThrowAsync<FaultException>(() => LookAsync(watch));
        _forwards.Remade.ShouldBe([Web]);
    }

    [Fact]
    public async Task One_through_which_the_guest_stops_answering_is_made_again_once()
    {
        var watch = Watch();
        _forwards.Answers[Gateway] = false;
        await LookAsync(watch, 6);
        _forwards.Remade.ShouldBeEmpty();
        await LookAsync(watch, 3);
        _forwards.Remade.ShouldBe([Gateway]);

        // Another one did not help: then it is the guest's server. That is said, and not that all is well.
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:30051")]);
        _said[^1].ShouldContain("its server does not answer");
        await LookAsync(watch, 30);
        _forwards.Remade.Count.ShouldBe(1);
        _events.Count.ShouldBe(1);

        _forwards.Answers[Gateway] = true;
        await LookAsync(watch, 6);
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:30051"), (EventNames.ForwardRemade, "127.0.0.1:30051")]);
        _forwards.Answers[Gateway] = false;
        await LookAsync(watch, 9);
        _forwards.Remade.Count.ShouldBe(2);
    }

    [Fact]
    public async Task One_through_which_the_guest_answers_once_it_is_made_again_was_lost_and_is_remade()
    {
        var watch = Watch();
        _forwards.Answers[Gateway] = false;
        _forwards.AnswersOnceRemade = true;
        await LookAsync(watch, 9);
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:30051"), (EventNames.ForwardRemade, "127.0.0.1:30051")]);
        _said[0].ShouldNotContain("server");
    }

    [Fact]
    public async Task One_that_is_made_again_while_its_server_is_away_is_remade_when_that_answers()
    {
        var watch = Watch();
        _forwards.InForce.Remove(Gateway);
        _forwards.Answers[Gateway] = false;
        await LookAsync(watch, 2);
        _forwards.Remade.ShouldBe([Gateway]);
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:30051")]);
        _forwards.Answers[Gateway] = true;
        await LookAsync(watch, 3);
        _events[^1].ShouldBe((EventNames.ForwardRemade, "127.0.0.1:30051"));
        _events.Count.ShouldBe(2);
    }

    [Fact]
    public async Task One_that_does_not_answer_and_cannot_be_made_again_is_told_too()
    {
        var watch = Watch();
        _forwards.Answers[Gateway] = false;
        _forwards.Refusal = new FaultException(new Fault { Code = "network.port-busy", What = "w", Remedy = "r" });
        await LookAsync(watch, 8);
        await Should.ThrowAsync<FaultException>(() => LookAsync(watch));
        _events.ShouldBe([(EventNames.ForwardLost, "127.0.0.1:30051")]);
    }

    [Fact]
    public async Task A_gvproxy_that_does_not_answer_several_times_is_given_up_once()
    {
        var watch = Watch();
        _forwards.Silent = true;
        await LookAsync(watch, 2);
        _forwards.GivenUp.ShouldBe(0);
        await LookAsync(watch, 4);
        _forwards.GivenUp.ShouldBe(1);
        _forwards.Silent = false;
        await LookAsync(watch);
        _events.ShouldBeEmpty();
    }

    private ForwardWatch Watch() => new(_forwards, (name, message, subject) =>
    {
        _events.Add((name, subject));
        _said.Add(message);
    });

    private static async Task LookAsync(ForwardWatch watch, int times = 1)
    {
        for (var i = 0; i < times; i++)
            await watch.LookAsync(TestContext.Current.CancellationToken);
    }

    private sealed class Forwards : IForwards
    {
        public List<PortForward> InForce { get; } = [Gateway, Web];

        public HashSet<PortForward> NotListening { get; } = [];

        public Dictionary<PortForward, bool?> Answers { get; } = [];

        public List<PortForward> Remade { get; } = [];

        public bool AnswersOnceRemade { get; set; }

        public FaultException? Refusal { get; set; }

        /// <summary>Which is; none: all are.</summary>
        public PortForward? Refused { get; set; }

        public bool Silent { get; set; }

        public int GivenUp { get; private set; }

        public IReadOnlyList<PortForward> Wanted { get; } = [Gateway, Web];

        public Task<IReadOnlyList<PortForward>> InForceAsync(CancellationToken cancellationToken) =>
            Silent ? Task.FromException<IReadOnlyList<PortForward>>(new HttpRequestException("no answer")) : Task.FromResult<IReadOnlyList<PortForward>>([.. InForce]);

        public bool IsListening(PortForward forward) => !NotListening.Contains(forward);

        public Task<bool?> AnswersAsync(PortForward forward, CancellationToken cancellationToken) => Task.FromResult(Answers.GetValueOrDefault(forward));

        public Task RemakeAsync(PortForward forward, CancellationToken cancellationToken)
        {
            if (Refusal is not null && (Refused is null || Refused == forward))
                return Task.FromException(Refusal);
            Remade.Add(forward);
            if (AnswersOnceRemade)
                Answers[forward] = true;
            NotListening.Remove(forward);
            if (!InForce.Contains(forward))
                InForce.Add(forward);
            return Task.CompletedTask;
        }

        public void GiveUpOnGvproxy(string why) => GivenUp++;
    }
}

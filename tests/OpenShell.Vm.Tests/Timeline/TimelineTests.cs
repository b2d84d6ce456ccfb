using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Tests.Timeline;

public sealed class TimelineTests
{
    [Fact]
    public void What_is_recorded_is_read_back_and_told()
    {
        using var folder = new TestFolder();
        var told = new List<TimelineEvent>();
        using var recorder = new TimelineRecorder(folder.File("timeline.jsonl"), new ActionProgress<TimelineEvent>(told.Add), TimeProvider.System);
        recorder.Started(BootStages.Vmm);
        recorder.Completed(BootStages.Vmm, "a \"detail\"\nof two lines");
        TimelineFile.Read(folder.File("timeline.jsonl")).Select(e => (e.Stage, e.State, e.Detail)).ShouldBe(told.Select(e => (e.Stage, e.State, e.Detail)));
        told[1].Elapsed.ShouldBeGreaterThanOrEqualTo(told[0].Elapsed);
    }

    [Fact]
    public void A_guest_cannot_fill_the_disk_with_reports()
    {
        using var folder = new TestFolder();
        var told = 0;
        using (var recorder = new TimelineRecorder(folder.File("timeline.jsonl"), new ActionProgress<TimelineEvent>(_ => told++), TimeProvider.System))
        {
            for (var i = 0; i < TimelineRecorder.MostRelayed + 100; i++)
                recorder.Relay(new StageReport { Stage = "services/etcd", State = StageState.Failed, UptimeNanoseconds = i });
            recorder.Completed(BootStages.Ready);
            recorder.Stages.Count.ShouldBe(2);
        }

        told.ShouldBe(TimelineRecorder.MostRelayed + 101);
        TimelineFile.Read(folder.File("timeline.jsonl")).Count.ShouldBe(TimelineRecorder.MostRelayed + 1);
    }

    [Fact]
    public void A_follower_reads_only_whole_lines()
    {
        using var folder = new TestFolder();
        using var reader = new TimelineReader(folder.File("t"));
        reader.ReadNew().ShouldBeEmpty();
        var line = TimelineFile.ToLine(new TimelineEvent { Stage = "init", State = StageState.Started, At = DateTimeOffset.UtcNow, Elapsed = TimeSpan.FromSeconds(1.5) });
        File.WriteAllBytes(folder.File("t"), line[..^5]);
        reader.ReadNew().ShouldBeEmpty();
        using (var end = new FileStream(folder.File("t"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            end.Write(line.AsSpan(^5..));
        reader.ReadNew().ShouldHaveSingleItem().Elapsed.ShouldBe(TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public void Guest_times_are_placed_by_the_message_that_came_quickest()
    {
        var clock = new GuestClock();
        clock.Place(Seconds(10.5), Seconds(2)).ShouldBe(Seconds(10.5));

        // This one took 0.3 s less on its way: the guest's clock began earlier than it seemed.
        clock.Place(Seconds(11.2), Seconds(3)).ShouldBe(Seconds(11.2));
        clock.Place(Seconds(20), Seconds(4)).ShouldBe(Seconds(12.2));
        clock.Reset();
        clock.Place(Seconds(30), Seconds(1)).ShouldBe(Seconds(30));
    }

    [Fact]
    public void A_stage_that_was_skipped_and_comes_after_all_begins_then()
    {
        var table = new StageTable();
        foreach (var (state, second) in new[] { (StageState.Skipped, 1), (StageState.Started, 60), (StageState.Completed, 65) })
            table.Add(new TimelineEvent { Stage = BootStages.Services, State = state, At = DateTimeOffset.UnixEpoch, Elapsed = Seconds(second) });
        var row = table.Rows.ShouldHaveSingleItem();
        (row.Start, row.Duration).ShouldBe((Seconds(60), Seconds(5)));
    }

    [Fact]
    public void Stages_that_are_to_come_again_are_behind_nobody()
    {
        using var recorder = new TimelineRecorder(null, null, TimeProvider.System);
        recorder.Skipped(BootStages.Services, "it runs");
        recorder.Completed(BootStages.Vmm);
        recorder.Forget([BootStages.Services, BootStages.Ready]);
        recorder.Stages.ShouldHaveSingleItem().Stage.ShouldBe(BootStages.Vmm);
    }

    [Fact]
    public void The_table_has_one_row_per_stage_with_its_parts_below_it()
    {
        var table = new StageTable();
        Add("vmm", StageState.Started, 1);
        Add("services", StageState.Started, 3);
        Add("services/etcd", StageState.Started, 3.5);
        Add("vmm", StageState.Completed, 2);
        Add("services/etcd", StageState.Completed, 6, "healthy");
        Add("services/apiserver", StageState.Started, 4);
        Add("disk", StageState.Skipped, 5);
        table.Rows.Select(r => r.Stage).ShouldBe(["disk", "vmm", "services", "services/etcd", "services/apiserver"]);
        table.Rows[1].Duration.ShouldBe(Seconds(1));
        table.Rows[2].Duration.ShouldBeNull();
        table.Rows[3].Detail.ShouldBe("healthy");
        table.Current.ShouldNotBeNull().Stage.ShouldBe("services/apiserver");

        void Add(string stage, StageState state, double at, string? detail = null) =>
            table.Add(new TimelineEvent { Stage = stage, State = state, At = DateTimeOffset.UnixEpoch, Elapsed = Seconds(at), Detail = detail });
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}

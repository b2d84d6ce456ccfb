using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Tests;

/// <summary>What other programs print, and what is read of it.</summary>
public sealed class OutputTests
{
    [Fact]
    public void Requests_and_median_are_read_of_wrk()
    {
        const string Output = """
            Running 3s test @ http://127.0.0.1:1/
              1 threads and 4 connections
              Thread Stats   Avg      Stdev     Max   +/- Stdev
                Latency   160.32us   76.63us   2.64ms   94.38%
                Req/Sec    23.64k     1.13k   25.20k    93.55%
              Latency Distribution
                 50%  149.00us
                 75%  173.00us
                 90%  208.00us
                 99%  436.00us
              72915 requests in 3.10s, 2.78MB read
            Requests/sec:  23519.81
            Transfer/sec:      0.90MB
            """;

        var (perSecond, median) = Wrk.Read(Output);

        perSecond.ShouldBe(23519.81);
        median.ShouldBe(0.000149, 1e-9);
        Wrk.Read(Output.Replace("149.00us", "1.50s", StringComparison.Ordinal)).Median.ShouldBe(1.5);
        Wrk.Read(Output.Replace("149.00us", "20.00ms", StringComparison.Ordinal)).Median.ShouldBe(0.02, 1e-9);
        Should.Throw<BenchException>(() => Wrk.Read(Output + "\n  Socket errors: connect 0, read 3, write 0, timeout 0")).Message.ShouldContain("read 3");
        Should.Throw<BenchException>(() => Wrk.Read("unable to connect"));
    }

    [Fact]
    public void What_the_receiver_counted_is_read_of_iperf3() =>
        Iperf.Received("""{"end":{"sum_sent":{"bits_per_second":16777216},"sum_received":{"bits_per_second":8388608.0}}}""").ShouldBe(1);

    [Fact]
    public void What_iperf3_could_not_measure_is_said() =>
        Should.Throw<BenchException>(() => Iperf.Received("""{"start":{},"end":{},"error":"the server is busy running a test. try again later"}""")).Message.ShouldContain("busy");

    [Fact]
    public void Libraries_and_loader_are_read_of_ldd() =>
        Iperf.Files("\tlinux-vdso.so.1 (0x00007ffd)\n\tlibiperf.so.0 => /lib/x86_64-linux-gnu/libiperf.so.0 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n")
            .ShouldBe(["/lib/x86_64-linux-gnu/libiperf.so.0", "/lib64/ld-linux-x86-64.so.2"]);

    [Fact]
    public void Stages_are_counted_by_the_guests_clock()
    {
        TimelineEvent[] events = [Event("network", StageState.Started, null), Event("init", StageState.Started, 5), Event("services", StageState.Started, 6), Event("init", StageState.Completed, 7), Event("services", StageState.Completed, 16)];

        CountedStages.Of(events).ShouldBe([("kernel", 5e9), ("init", 2e9), ("services", 10e9)]);
    }

    private static TimelineEvent Event(string stage, StageState state, double? uptime) => new()
    {
        Stage = stage,
        State = state,
        At = DateTimeOffset.UnixEpoch,
        Elapsed = TimeSpan.Zero,
        GuestUptime = uptime is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };
}

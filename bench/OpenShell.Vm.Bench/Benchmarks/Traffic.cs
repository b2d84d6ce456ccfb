using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A forwarded port of an instance, beside the same guest behind a bare gvproxy and QEMU, and beside the host's own loopback; and programs run by <c>exec</c>.</summary>
internal sealed class Traffic : IBenchmark
{
    private const int Times = 5;
    private const int Mebibytes = 64;
    private const int Echoes = 500;
    private const int Connections = 100;
    private const string Instance = "bench-traffic";
    private const string Product = "forwarded port", Bare = "bare gvproxy and QEMU", Host = "the host's loopback";

    public string Name => "network";

    public string Title => "throughput and latency of a forwarded port (iperf3, wrk, and a small client in .NET with a server in C), beside a bare gvproxy with the same QEMU and guest, and the host's loopback; 'exec' in the same guests";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var golden = await GoldenCopy.BakeAsync(context);
        var program = await TrafficServer.BuildAsync(context);
        await using var cluster = new BenchCluster(context, Instance, golden: true);
        var status = await cluster.UpAsync("-p", $"0:{TrafficServer.GuestPort}", "-p", $"0:{Iperf.GuestPort}");
        await using var agent = await context.Instances.ConnectAsync(Instance);
        await using var inProduct = await TrafficServer.StartAsync(agent, program);
        await using var iperfInProduct = await Iperf.StartAsync(agent);
        await using var bare = await BareCopy.StartAsync(context, golden);
        await using var inBare = await TrafficServer.StartAsync(bare.Agent, program);
        await using var iperfInBare = await Iperf.StartAsync(bare.Agent);
        var (barePort, bareIperf) = (HostProgram.FreePort(), HostProgram.FreePort());
        await bare.ForwardAsync(barePort, TrafficServer.GuestPort);
        await bare.ForwardAsync(bareIperf, Iperf.GuestPort);
        var (hostPort, hostIperf) = (HostProgram.FreePort(), HostProgram.FreePort());
        using var here = await TrafficServer.StartHereAsync(program, hostPort);
        using var iperfHere = await Iperf.StartHereAsync(hostIperf);
        try
        {
            (string Name, int Port, int Iperf)[] ways =
                [(Product, ForwardedPort(status, TrafficServer.GuestPort), ForwardedPort(status, Iperf.GuestPort)), (Bare, barePort, bareIperf), (Host, hostPort, hostIperf)];
            var iperfOut = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var iperfIn = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var requests = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var latencies = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var received = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var sent = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var echoes = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var connections = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var runs = context.Runs ?? Times;
            for (var run = 0; run <= runs; run++)
            {
                // In turn, so that whatever else the machine does meets all of them; the first round is for warmth.
                foreach (var (name, port, iperf) in ways)
                {
                    var (down, up) = (await TrafficClient.ReceiveAsync(port, Mebibytes), await TrafficClient.SendAsync(port, Mebibytes));
                    var (echo, connect) = (await TrafficClient.EchoAsync(port, Echoes), await TrafficClient.ConnectionsAsync(port, Connections));
                    var (streamOut, streamIn) = (await Iperf.MeasureAsync(iperf, outOfTheGuest: true), await Iperf.MeasureAsync(iperf, outOfTheGuest: false));
                    var (perSecond, latency) = await Wrk.MeasureAsync(port);
                    if (run == 0)
                        continue;
                    iperfOut[name].Add(streamOut);
                    iperfIn[name].Add(streamIn);
                    requests[name].Add(perSecond);
                    latencies[name].Add(latency);
                    received[name].Add(down);
                    sent[name].Add(up);
                    echoes[name].AddRange(echo);
                    connections[name].AddRange(connect);
                    context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: {name}: {down:0} MiB/s out, {up:0} MiB/s in; iperf3 {streamOut:0} and {streamIn:0}; wrk {perSecond:0} /s, median {latency * 1000:0.0} ms"));
                }
            }

            // The peers first: what is compared with the fastest is compared with the one beside it as well.
            (string What, Dictionary<string, List<double>> Samples, Unit Unit)[] rows =
            [
                ("iperf3, out of the guest", iperfOut, Unit.Throughput), ("iperf3, into the guest", iperfIn, Unit.Throughput), ("wrk, requests", requests, Unit.PerSecond), ("wrk, median of the latency", latencies, Unit.Seconds),
                ("64 MiB out of the guest", received, Unit.Throughput), ("64 MiB into the guest", sent, Unit.Throughput), ("a byte there and back", echoes, Unit.Seconds), ("a connection for a byte", connections, Unit.Seconds),
            ];
            foreach (var (what, samples, unit) in rows)
            {
                yield return new Measurement { What = $"{what}: {Host}", Samples = samples[Host], Unit = unit };
                yield return new Measurement { What = $"{what}: {Bare}", Samples = samples[Bare], Unit = unit, Baseline = $"{what}: {Host}" };
                yield return new Measurement { What = $"{what}: {Product}", Samples = samples[Product], Unit = unit, Baseline = $"{what}: {Bare}" };
            }

            yield return new Measurement { What = "exec true, straight to the agent", Samples = await ExecCalls.AgentAsync(bare.Agent) };
            yield return new Measurement { What = "exec true, through the supervisor", Samples = await ExecCalls.AgentAsync(agent), Baseline = "exec true, straight to the agent" };
        }
        finally
        {
            foreach (var server in new[] { here, iperfHere })
            {
                server.Kill();
                await server.WaitForExitAsync();
            }
        }
    }

    private static int ForwardedPort(JsonElement status, int guestPort) => status.GetProperty("ports").EnumerateArray()
        .First(port => port.GetProperty("guestPort").GetInt32() == guestPort).GetProperty("hostPort").GetInt32();
}

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

    public string Title => "throughput and latency of a forwarded port (a small client in .NET, a small server in C), beside a bare gvproxy with the same QEMU and guest, and the host's loopback; 'exec' in the same guests";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var golden = await GoldenCopy.BakeAsync(context);
        var program = await TrafficServer.BuildAsync(context);
        await using var cluster = new BenchCluster(context, Instance, golden: true);
        var status = await cluster.UpAsync("-p", $"0:{TrafficServer.GuestPort}");
        await using var agent = await context.Instances.ConnectAsync(Instance);
        await using var inProduct = await TrafficServer.StartAsync(agent, program);
        await using var bare = await BareCopy.StartAsync(context, golden);
        await using var inBare = await TrafficServer.StartAsync(bare.Agent, program);
        var barePort = HostProgram.FreePort();
        await bare.ForwardAsync(barePort, TrafficServer.GuestPort);
        var hostPort = HostProgram.FreePort();
        using var here = await TrafficServer.StartHereAsync(program, hostPort);
        try
        {
            (string Name, int Port)[] ways = [(Product, ForwardedPort(status)), (Bare, barePort), (Host, hostPort)];
            var received = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var sent = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var echoes = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var connections = ways.ToDictionary(way => way.Name, _ => new List<double>());
            var runs = context.Runs ?? Times;
            for (var run = 0; run <= runs; run++)
            {
                // In turn, so that whatever else the machine does meets all of them; the first round is for warmth.
                foreach (var (name, port) in ways)
                {
                    var (down, up) = (await TrafficClient.ReceiveAsync(port, Mebibytes), await TrafficClient.SendAsync(port, Mebibytes));
                    var (echo, connect) = (await TrafficClient.EchoAsync(port, Echoes), await TrafficClient.ConnectionsAsync(port, Connections));
                    if (run == 0)
                        continue;
                    received[name].Add(down);
                    sent[name].Add(up);
                    echoes[name].AddRange(echo);
                    connections[name].AddRange(connect);
                    context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: {name}: {down:0} MiB/s out, {up:0} MiB/s in"));
                }
            }

            // The peers first: what is compared with the fastest is compared with the one beside it as well.
            foreach (var (what, samples, unit) in new[] { ("out of the guest", received, Unit.Throughput), ("into the guest", sent, Unit.Throughput), ("a byte there and back", echoes, Unit.Seconds), ("a connection for a byte", connections, Unit.Seconds) })
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
            here.Kill();
            await here.WaitForExitAsync();
        }
    }

    private static int ForwardedPort(JsonElement status) => status.GetProperty("ports").EnumerateArray()
        .First(port => port.GetProperty("guestPort").GetInt32() == TrafficServer.GuestPort).GetProperty("hostPort").GetInt32();
}

using System.Globalization;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>What having it costs: the memory of a running instance beside the machine's own, and the time of commands that only tell, beside those of another program of their kind.</summary>
internal sealed class CommandCost : IBenchmark
{
    private const int Calls = 20;
    private const int Looks = 5;
    private const string PeerVersion = "kubectl version --client";
    private const string PeerHelp = "kubectl --help";
    private const string Status = "gateway status", List = "gateway list", Help = "gateway --help";

    /// <summary>All that is watched has been looked at once by then.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public string Name => "command";

    public string Title => "memory of supervisor and gvproxy at Ready; 'gateway status', 'list' and '--help' beside kubectl";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        await using var cluster = new BenchCluster(context, "bench-command");
        var status = await cluster.UpAsync();
        int Pid(string role) => status.GetProperty("processes").GetProperty(role).GetProperty("pid").GetInt32();

        context.Say($"  ready; its memory is looked at after {Settled.TotalSeconds:0} s");
        await Task.Delay(Settled);
        List<double> both = [], supervisor = [], network = [], resident = [];
        for (var look = 0; look < Looks; look++)
        {
            await Task.Delay(BetweenLooks);
            supervisor.Add(ProcessMemory.Mebibytes(Pid(Roles.Supervisor), "Pss:"));
            network.Add(ProcessMemory.Mebibytes(Pid(Roles.Gvproxy), "Pss:"));
            both.Add(supervisor[^1] + network[^1]);
            resident.Add(ProcessMemory.Mebibytes(Pid(Roles.Supervisor), "Rss:") + ProcessMemory.Mebibytes(Pid(Roles.Gvproxy), "Rss:"));
        }

        context.Say(string.Create(CultureInfo.InvariantCulture, $"  memory: supervisor {supervisor[^1]:0.0} MiB, gvproxy {network[^1]:0.0} MiB; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
        foreach (var row in MemoryRows(both, resident, supervisor, network))
            yield return row;

        var kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists)
            ?? throw new BenchException("kubectl, the peer of the command, is missing (package kubernetes-client).");
        (string What, string Program, string[] Arguments)[] commands =
        [
            (PeerVersion, kubectl, ["version", "--client"]),
            (PeerHelp, kubectl, ["--help"]),
            (Status, HostProgram.Command, ["status", "--name", "bench-command"]),
            (List, HostProgram.Command, ["list"]),
            (Help, HostProgram.Command, ["--help"]),
        ];

        // In turn, so that whatever else the machine does meets all of them.
        var samples = commands.ToDictionary(command => command.What, _ => new List<double>());
        for (var call = -1; call < (context.Runs ?? Calls); call++)
        {
            foreach (var command in commands)
            {
                var elapsed = (await HostProgram.RunAsync(command.Program, command.Arguments, Limit, context.Home.Environment)).Elapsed.TotalSeconds;
                if (call >= 0)
                    samples[command.What].Add(elapsed);
            }
        }

        foreach (var row in CommandRows(samples))
            yield return row;
    }

    /// <summary>What was measured of memory, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> MemoryRows(IReadOnlyList<double> both, IReadOnlyList<double> resident, IReadOnlyList<double> supervisor, IReadOnlyList<double> network) =>
    [
        new() { What = "memory of supervisor and gvproxy", Samples = both, Unit = Unit.Mebibytes, Judged = Statistic.Worst, Budget = 80 },
        new() { What = "the same, with all that they share", Samples = resident, Unit = Unit.Mebibytes },
        new() { What = "memory of the supervisor", Samples = supervisor, Unit = Unit.Mebibytes },
        new() { What = "memory of gvproxy", Samples = network, Unit = Unit.Mebibytes },
    ];

    /// <summary>What was measured of commands, with what is promised of them.</summary>
    /// <param name="samples">By command.</param>
    internal static IReadOnlyList<Measurement> CommandRows(IReadOnlyDictionary<string, List<double>> samples) =>
    [
        new() { What = PeerVersion, Samples = samples[PeerVersion] },
        new() { What = PeerHelp, Samples = samples[PeerHelp] },
        new() { What = Status, Samples = samples[Status], Budget = 0.150, Baseline = PeerVersion },
        new() { What = List, Samples = samples[List], Budget = 0.150, Baseline = PeerVersion },
        new() { What = Help, Samples = samples[Help], Budget = 0.100, Baseline = PeerHelp },
    ];
}

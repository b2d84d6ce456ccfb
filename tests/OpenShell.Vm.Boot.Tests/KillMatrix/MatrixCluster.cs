using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Cluster;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Boot.Tests.Snapshots;
using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>The cluster that is killed over and over: brought up as a user would, by supervisors of their own.</summary>
public sealed class MatrixCluster : TestCluster
{
    /// <summary>The namespace of what is written.</summary>
    internal const string Space = "ledger";

    /// <summary>What is looked at is whether it comes up, and not how soon: a busy machine emulates slowly.</summary>
    private const string Patience = "20m";

    private bool _filled;

    internal override string Name => "matrix";

    /// <summary>Its first start is a copy of a golden image; a first start that is killed in a stage of a boot boots.</summary>
    internal override TestHome Home { get; } = new(golden: true);

    internal override string Volumes => "/var/lib/openshell/volumes";

    /// <summary>A copy of a golden image has a front before its API server.</summary>
    internal override IReadOnlyList<Component> Components { get; } = [.. ClusterFixture.UpstreamComponents, new("api-front", "openshell-init", "api-front")];

    /// <summary>What it has acknowledged so far.</summary>
    internal Ledger Ledger { get; } = new();

    /// <summary>How the cases went so far.</summary>
    internal List<(KillCase Case, int? Losses, string How)> Tried { get; } = [];

    private InstanceFiles Files => InstanceFiles.For(Home.Directories, InstanceName.Parse(Name));

    /// <summary>The file of its disk.</summary>
    internal string StateDisk => Files.StateDisk;

    /// <summary>The folder of a memory that is not whole yet.</summary>
    internal string MemoryInTheMaking => new Snapshot(Files).Aside;

    /// <summary>How much is written of it.</summary>
    internal long SavedBytes => new[] { Snapshot.MachineName, Snapshot.PagesName }.Select(name => new FileInfo(Path.Combine(MemoryInTheMaking, name))).Where(file => file.Exists).Sum(file => file.Length);

    /// <summary>What its supervisor wrote last; <see langword="null"/> before the first word.</summary>
    internal InstanceStatus? Now
    {
        get
        {
            try
            {
                return JsonSerializer.Deserialize(File.ReadAllBytes(Files.Status), InstanceJson.Default.InstanceStatus);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }
    }

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal override async Task RequireAsync()
    {
        // Whatever else there is no time for: its sample is tried in each run.
        await Requirements.SkipUnlessMachinesCanBootAsync(atAnyTime: true);
        Requirements.SkipUnless("kubectl", "kubernetes-client");
    }

    internal override async Task StartAgainAsync() => await StartAgainAsync(Home.Environment);

    /// <summary>Starts it, and the first time gives it what the cases write to.</summary>
    internal async Task StartAgainAsync(IReadOnlyDictionary<string, string?> environment)
    {
        if (Now is null)
            await GoldenFixture.BakeAsync(Gateway);
        (await UpAsync(environment)).OrFail();
        if (!_filled)
            await FillAsync();
        _filled = true;
    }

    /// <summary>Discards all that it has: its next start is a first one.</summary>
    internal async Task ResetAsync()
    {
        if (Now is not null)
            (await GatewayAsync("reset")).OrFail();
        _filled = false;
    }

    /// <summary>What a user types, each time.</summary>
    internal Task<Finished> UpAsync(IReadOnlyDictionary<string, string?> environment, bool boots = false)
    {
        Starts++;
        return GatewayCli.StartAsync(environment, ["up", "--name", Name, "--detach", "--timeout", Patience, .. GoldenFixture.Shape, .. boots ? ["--start", "boot"] : Array.Empty<string>()]);
    }

    /// <summary>A line of shell in the pod that has the volume, as soon as it takes one.</summary>
    internal async Task<Finished> InPodAsync(string line)
    {
        Finished? done = null;
        await Eventually.HoldsAsync(
            "the pod with the volume takes commands",
            async () => (done = await Kubectl.In(Space).TryAsync("exec", "writer-0", "--", "sh", "-c", line)).ExitCode == 0 || !done.Err.Contains("error", StringComparison.OrdinalIgnoreCase),
            TimeSpan.FromMinutes(5));
        return done!;
    }

    /// <summary>Whether it is ready, as <c>gateway status</c> says.</summary>
    internal async Task<bool> IsReadyAsync() => Now is not null && (await StatusAsync()).GetProperty("phase").GetString() == "ready";

    /// <summary>Starts it unless it runs.</summary>
    internal async Task RunsAsync()
    {
        if (!await IsReadyAsync())
            await StartAgainAsync();
    }

    /// <summary>Processes of the instance that its status does not name.</summary>
    internal IReadOnlyList<string> Orphans()
    {
        var known = Now!.Processes.Values.Select(process => $"process {process.Pid}:").ToArray();
        return [.. Leftovers.ProcessesOf(Home).Where(left => !known.Any(k => left.StartsWith(k, StringComparison.Ordinal)))];
    }

    /// <summary>What its events tell of repairs of its disk.</summary>
    internal IReadOnlyList<string> Repairs() => [.. File.ReadLines(Files.Events).Where(line => line.Contains(EventNames.DiskRepaired, StringComparison.Ordinal))];

    /// <summary>All that the cases write to: a namespace, a counter, and a pod with a volume.</summary>
    private async Task FillAsync()
    {
        Ledger.Clear();
        var image = await TestImage.LoadAsync(this);
        (await Api.SendAsync(HttpMethod.Post, "/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Space}}}"}}""")).OrFail();
        await Api.CreateAsync(Space, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: counter}\ndata: {value: \"0\"}\n");
        await Eventually.HoldsAsync(
            "the namespace's service account", async () => (await Api.TryGetAsync($"/api/v1/namespaces/{Space}/serviceaccounts/default")).Text("metadata.uid") is not null, TimeSpan.FromMinutes(4));
        await Api.CreateAsync(Space, StorageConformance.StatefulSet("writer", image));
        (await InPodAsync("true")).OrFail();

        // Something to lose, for cases in which nothing is written.
        using var until = new CancellationTokenSource();
        var writes = Ledger.WriteAsync(this, until.Token);
        await Ledger.GrowsAsync(20, 20);
        await until.CancelAsync();
        await writes;
    }

    public override async ValueTask DisposeAsync()
    {
        if (Tried.Count > 0)
        {
            Console.Out.WriteLine($"kill matrix: {Tried.Count} cases tried, {Tried.Sum(t => t.Losses)} losses, {Tried.Count(t => t.Losses is null)} that did not come up again, {Ledger.Count.Objects} objects and {Ledger.Count.Files} files acknowledged");
            foreach (var (tried, losses, how) in Tried)
                Console.Out.WriteLine($"  {tried}: {losses?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} losses; {how}");
            if (MatrixJournal.Given.IsFull)
                Console.Out.WriteLine(MatrixJournal.Given.Summary());
        }

        await GatewayAsync("stop", "--force");
        await base.DisposeAsync();
    }
}

using System.Diagnostics;
using System.Globalization;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Boot.Tests.Snapshots;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>
/// Whatever is killed, and whenever: the next <c>gateway up</c> reaches Ready, everything that was acknowledged is there, and nothing is left running that nobody knows of.
/// Each run tries a sample; <c>./test --kill-matrix</c> tries all, and goes on where it was interrupted.
/// </summary>
public sealed class KillMatrixTests(MatrixCluster cluster) : IClassFixture<MatrixCluster>, IAsyncLifetime
{
    private const int SigKill = 9;

    /// <summary>For a start under emulation on a busy machine.</summary>
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(20);

    /// <summary>With OPENSHELL_VM_TEST_KILL_CASES only those in whose name that is: <c>suspend</c>, <c>qemu at</c>.</summary>
    public static TheoryData<KillCase> Cases =>
        [.. (MatrixJournal.Given.IsFull ? KillCase.All : KillCase.Sample).Where(tried => tried.ToString().Contains(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KILL_CASES") ?? "", StringComparison.Ordinal))];

    public async ValueTask InitializeAsync() => await cluster.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Cases))]
    public async Task Nothing_acknowledged_is_lost(KillCase tried)
    {
        if (MatrixJournal.Given.Tried(tried) is { } earlier)
            Assert.Skip("tried before: " + earlier);
        var clock = Stopwatch.StartNew();
        var (moment, losses) = ("", -1);
        try
        {
            moment = tried.Moment == KillCase.Steady ? await KillAtWorkAsync(tried) : tried.IsOfMemory ? await KillAtMemoryAsync(tried) : await KillAtBootAsync(tried);

            // Who watches over a machine does not leave it behind; one that sleeps is nobody's process.
            if (tried.Victim == Victim.Supervisor)
                await Eventually.HoldsAsync("no process stays", () => Task.FromResult(Leftovers.ProcessesOf(cluster.Home).Count == 0), TimeSpan.FromMinutes(1));
            var again = Stopwatch.StartNew();
            await cluster.StartAgainAsync();
            moment += string.Create(CultureInfo.InvariantCulture, $"; ready again after {again.Elapsed.TotalSeconds:0} s");
            cluster.Orphans().ShouldBeEmpty();

            // A journal is replayed; nothing of what happens here damages the file system.
            cluster.Repairs().ShouldBeEmpty();
            var lost = await cluster.Ledger.LossesAsync(cluster);
            losses = lost.Count;
            lost.ShouldBeEmpty();
        }
        finally
        {
            // Of one that did not come up again nobody knows what is lost: that is no case without losses.
            int? known = losses < 0 ? null : losses;
            cluster.Tried.Add((tried, known, known is null ? "failed: " + moment : moment));
            MatrixJournal.Given.Add(tried, moment, known, clock.Elapsed);
        }
    }

    /// <summary>Kills while objects and files are written.</summary>
    private async Task<string> KillAtWorkAsync(KillCase tried)
    {
        var cut = await RunsAsync(tried);
        (await cluster.InPodAsync("true")).OrFail();
        using var until = new CancellationTokenSource();
        var writes = cluster.Ledger.WriteAsync(cluster, until.Token);
        string how;
        try
        {
            await cluster.Ledger.GrowsAsync(10, 10);
            how = await KillAsync(tried, cut);
            if (tried.IsHealed)
            {
                // It is put right while it runs: everything is taken again.
                await cluster.Ledger.GrowsAsync(5, 5);
                (await cluster.IsReadyAsync()).ShouldBeTrue();
            }
        }
        finally
        {
            await until.CancelAsync();
            await writes;
        }

        return how;
    }

    /// <summary>Kills while something is done with the memory of an instance that has just been written to, or that begins as a copy of a golden image.</summary>
    private async Task<string> KillAtMemoryAsync(KillCase tried)
    {
        var cut = tried.Cold ? await IsNewAsync(tried) : await WroteAsync(tried);
        const string Copy = "matrix-copy";
        var last = cluster.Now?.StartedAt;

        // What an earlier case left is not to be taken for what this one does.
        Directory.Exists(cluster.MemoryInTheMaking).ShouldBeFalse("what an interrupted save left is removed by the next start");
        if (tried is { Moment: KillCase.Resuming, Cold: false })
            (await cluster.GatewayAsync("suspend")).OrFail();
        var doing = tried.Moment switch
        {
            KillCase.Suspending or KillCase.Saving or KillCase.Committing => cluster.GatewayAsync("suspend"),
            KillCase.Cloning or KillCase.Napping => cluster.Gateway.RunAsync("clone", cluster.Name, Copy),
            _ => cluster.UpAsync(cluster.Home.Environment),
        };
        try
        {
            await Eventually.HoldsAsync($"{tried}", () => Task.FromResult(doing.IsCompleted || IsInTheMidst()), Start);
            doing.IsCompleted.ShouldBeFalse(doing.IsCompleted ? (await doing).ToString() : "");
            return await KillAsync(tried, cut);
        }
        finally
        {
            await doing;
            if (tried.Moment is KillCase.Cloning or KillCase.Napping)
                await cluster.Gateway.RunAsync("delete", "--name", Copy);
        }

        bool IsInTheMidst() => tried.Moment switch
        {
            KillCase.Suspending => Directory.Exists(cluster.MemoryInTheMaking),
            KillCase.Saving or KillCase.Cloning => cluster.SavedBytes > 0 && cluster.Now!.Processes.ContainsKey(Roles.Vmm),
            KillCase.Committing => cluster.SavedBytes > 0 && !cluster.Now!.Processes.ContainsKey(Roles.Vmm),
            KillCase.Napping => cluster.Now is { Phase: InstancePhase.Suspended },
            _ => cluster.Now is { } now && now.StartedAt != last && now.Stages.Any(stage => stage is { Stage: BootStages.Resume, State: not Protocol.Messages.StageState.Skipped }) && now.Processes.ContainsKey(Roles.Vmm) && now.Processes.ContainsKey(Roles.Supervisor),
        };
    }

    /// <summary>Kills when a stage of the start has begun.</summary>
    private async Task<string> KillAtBootAsync(KillCase tried)
    {
        if (!tried.Cold && cluster.Now is null)
            await cluster.StartAgainAsync();
        var (cut, environment) = await PrepareAsync(tried);
        var last = cluster.Now?.StartedAt;
        var up = cluster.UpAsync(tried.IsPowerCut ? environment : cluster.Home.Environment, boots: tried.Cold);
        try
        {
            var how = "";
            foreach (var moment in tried.Moment == KillCase.EachStage ? KillCase.WithServices : [tried.Moment])
            {
                await Eventually.HoldsAsync($"{tried}: {moment}", async () => up.IsCompleted || (Reached(cluster.Now, moment) && await RunsAsync()), Start);

                // What was killed may have been all that the rest of the start waited for.
                if (up.IsCompleted && how.Length > 0)
                    break;
                up.IsCompleted.ShouldBeFalse(up.IsCompleted ? (await up).ToString() : "");
                how += (how.Length > 0 ? ", " : "") + await KillAsync(tried, cut);
            }

            // What is healed does not end the start.
            if (tried.IsHealed)
                (await up).OrFail();
            return how;
        }
        finally
        {
            await up;
        }

        bool Reached(InstanceStatus? now, string moment) => now is not null && now.StartedAt != last && now.Stages.Any(stage => stage.Stage == moment)
            && (tried.Victim is not (Victim.Qemu or Victim.Power or Victim.TornPower) || now.Processes.ContainsKey(Roles.Vmm)) && (tried.Victim is not Victim.Gvproxy || now.Processes.ContainsKey(Roles.Gvproxy));

        async Task<bool> RunsAsync() => tried.Victim != Victim.Service || (await cluster.ExecAsync("--", "true")).ExitCode == 0 && (await ProcessesOfAsync(tried)).Count > 0;
    }

    /// <summary>It runs, and has been written to.</summary>
    private async Task<PowerCut?> WroteAsync(KillCase tried)
    {
        var cut = await RunsAsync(tried);
        (await cluster.InPodAsync("true")).OrFail();
        using var until = new CancellationTokenSource();
        var writes = cluster.Ledger.WriteAsync(cluster, until.Token);
        await cluster.Ledger.GrowsAsync(5, 5);
        await until.CancelAsync();
        await writes;
        return cut;
    }

    /// <summary>It has nothing, and there is a golden image of what it is to be.</summary>
    private async Task<PowerCut?> IsNewAsync(KillCase tried)
    {
        await PrepareAsync(tried);
        await GoldenFixture.BakeAsync(cluster.Gateway);
        return null;
    }

    /// <summary>It is ready; where its power is to be cut, its writes are logged.</summary>
    private async Task<PowerCut?> RunsAsync(KillCase tried)
    {
        if (!tried.IsPowerCut)
        {
            await cluster.RunsAsync();
            return null;
        }

        var (cut, environment) = await PrepareAsync(tried);
        await cluster.StartAgainAsync(environment);
        return cut;
    }

    private async Task<(PowerCut Cut, IReadOnlyDictionary<string, string?> Environment)> PrepareAsync(KillCase tried)
    {
        if (cluster.Now is not null)
            (await cluster.GatewayAsync("stop")).OrFail();
        if (tried.Cold)
            await cluster.ResetAsync();
        var cut = new PowerCut(cluster.Home, cluster.StateDisk);
        return (cut, tried.IsPowerCut ? await cut.PrepareAsync() : cluster.Home.Environment);
    }

    private async Task<string> KillAsync(KillCase tried, PowerCut? cut)
    {
        var now = cluster.Now!;
        var at = now.Phase == InstancePhase.Ready ? "at work" : $"in {string.Join(", ", now.Stages.Where(stage => stage.State == Protocol.Messages.StageState.Started).Select(stage => stage.Stage))}";
        if (tried.Victim == Victim.Service)
        {
            var killed = await ProcessesOfAsync(tried);
            await cluster.ShellAsync("kill -9 " + string.Join(' ', killed.Select(process => process.Split(' ')[0])));
            await Eventually.HoldsAsync($"another {tried.Service}", async () => await ProcessesOfAsync(tried) is { Count: > 0 } others && !others.Intersect(killed).Any(), TimeSpan.FromMinutes(5));
            return "killed " + at;
        }

        string[] roles = tried.Victim switch
        {
            Victim.Supervisor => [Roles.Supervisor],
            Victim.Qemu => [Roles.Vmm],
            Victim.Gvproxy => [Roles.Gvproxy],
            _ => [.. new[] { Roles.Vmm, Roles.Supervisor, Roles.Gvproxy }.Where(role => role == Roles.Supervisor || now.Processes.ContainsKey(role))],
        };
        var victims = roles.Select(role => now.Processes[role]).ToArray();
        foreach (var victim in victims)
            ProcessIdentities.Signal(victim, SigKill);
        foreach (var victim in victims)
            await Eventually.HoldsAsync($"{victim} ends", () => Task.FromResult(!ProcessIdentities.IsAlive(victim)), TimeSpan.FromMinutes(1));
        if (!tried.IsPowerCut)
            return "killed " + at;

        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var (writes, flushed) = cut!.Happen(tried.Victim == Victim.TornPower ? () => random.Next(2) == 0 : null);

        // Of a machine whose services run; before, there may be none.
        if (tried.Moment is not (BootStages.Disk or BootStages.Vmm or BootStages.Kernel or BootStages.Init))
            writes.ShouldBeGreaterThan(0, "writes that were logged");
        return $"cut off {at}: {flushed} of {writes} writes were flushed{(tried.Victim == Victim.TornPower ? $", half of the others are there, seed {seed}" : "")}";
    }

    private Task<IReadOnlyList<string>> ProcessesOfAsync(KillCase tried) => cluster.FindAsync(cluster.Components.Single(component => component.Name == tried.Service));
}

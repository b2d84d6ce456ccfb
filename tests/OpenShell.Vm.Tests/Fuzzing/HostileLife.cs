using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Tests.Fuzzing;
using OpenShell.Tests.Timing;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>
/// The life of an instance with its real supervisor, from its start to its end, with a guest that says something else here and there. As long as nothing is changed everything comes as it should, and is waited for; from the first change on
/// only what proves that the host has read on: it takes a report that the guest makes then, or it has hung up.
/// </summary>
/// <param name="place">Where it lives.</param>
/// <param name="mutations">What is changed of what the guest says, each in the frame of its number.</param>
/// <param name="behind">All of it is changed in the first frame in this state instead.</param>
internal sealed class HostileLife(LifePlace place, IReadOnlyList<Mutation> mutations, string? behind)
{
    /// <summary>So that each watch looks at a time of its own: the clock's after 5 s, the heart's after 12, the disks' after 20, the certificates' after 23.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(6 * 12), Renewal = TimeSpan.FromSeconds(23);

    private const int Watches = 5;

    /// <summary>Proofs in a row in which the host asks for nothing more: it has come as far as it comes.</summary>
    private const int Quiet = 3;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly StageReport[] Start =
    [
        Report("init", StageState.Started, "mounts"), Report("init", StageState.Completed), Report("disk/repair", StageState.Completed, "one inode"), Report("services", StageState.Started),
        Report("services/etcd", StageState.Failed, "ended with 1") with { Fault = new GuestFault("service.exited", "etcd ended.", "It is started again."), Ended = new ServiceEnd { ExitCode = 1, Restarts = 1 } },
        Report("services/etcd", StageState.Completed), Report("services", StageState.Completed), Report("node", StageState.Completed), Report("workload", StageState.Completed), Report("gateway", StageState.Started, "its pod"),
    ];

    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _asked = [];
    private TimeSpan _slept;
    private Supervisor _supervisor = null!;
    private StandInMachine _machine = null!;
    private TalkingGuest _guest = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The state in which the first change was made; <see langword="null"/>: none was.</summary>
    public string? State => _guest.Wire.State;

    /// <summary>What the guest said.</summary>
    public IReadOnlyList<RecordedFrame> Frames => _guest.Wire.Frames;

    private bool IsOver => _guest.Wire.Silenced.IsCompleted || _guest.Closed.IsCompleted || _supervisor.Completion.IsCompleted;

    /// <summary>It boots, becomes ready, is watched, is asked for a program and for files, is held for a while, and is suspended. Returns how it ended.</summary>
    public Task<string> BootAsync() => LiveAsync(async () =>
    {
        foreach (var report in Start)
            await TryAsync(() => _guest.ReportAsync(report));
        await BecomesReadyAsync();
        _slept = TimeSpan.FromHours(1);
        await PassesAsync(5, ServiceNames.HostChanged);
        await PassesAsync(7, null);
        await PassesAsync(8, ServiceNames.DiskUsage);
        await PassesAsync(3, ServiceNames.CertificatesRenew);
        await UseAsync();
    });

    /// <summary>It goes on from its memory, becomes ready, and is stopped. Returns how it ended.</summary>
    public Task<string> ResumeAsync() => LiveAsync(async () =>
    {
        await TryAsync(() => _guest.ReportAsync(Report("services/etcd", StageState.Completed)));
        await BecomesReadyAsync();
        await FollowsAsync(UntilAsync(() => _guest.Answers(ServiceNames.SnapshotOver) > 0));
        if (IsOver)
            return;
        _ = _supervisor.StopAsync();
        await FollowsAsync(_supervisor.Completion);
    });

    private static StageReport Report(string stage, StageState state, string? detail = null) => new() { Stage = stage, State = state, UptimeNanoseconds = 1_000_000, Detail = detail };

    private async Task<string> LiveAsync(Func<Task> life)
    {
        using var server = X509Certificate2.CreateFromPem(place.Credentials.Pairs[ClusterCertificates.GatewayServer].CertificatePem, place.Credentials.Pairs[ClusterCertificates.GatewayServer].KeyPem);
        _supervisor = new Supervisor(place.Options(_time, Clocks), place.Config, place.Files, InstanceLock.Acquire(place.Files, LifePlace.Name), [], null);
        _machine = await StandInMachine.NextAsync(_supervisor, place.Files).WaitAsync(Limit, Token) ?? throw new InvalidOperationException("No machine was powered on.", _supervisor.Completion.Exception);
        try
        {
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(place.Files.GuestSocket));
            listener.Listen();
            await using var door = await GatewayDoor.OpenAsync(_supervisor.Status.Ports.Single(port => port.GuestPort == GuestNetworkPlan.GatewayPort).HostPort, server);
            var host = await listener.AcceptAsync(Token).AsTask().WaitAsync(Limit, Token);
            _guest = await TalkingGuest.MeetAsync(host, wire => new MutatingStream(wire, mutations, behind), place.Credentials, place.Tree, _machine.PowerOff, Token).WaitAsync(Limit, Token);
            await life();
            return await EndAsync();
        }
        catch
        {
            // The test has failed; nothing of it is to be left.
            _machine.End();
            await _supervisor.StopAsync(force: true).WaitAsync(Limit, CancellationToken.None);
            throw;
        }
    }

    /// <summary>The guest is gone, and its machine; so is any other that is powered on in its place.</summary>
    private async Task<string> EndAsync()
    {
        await _guest.DisposeAsync().AsTask().WaitAsync(Limit, Token);
        for (var machine = _machine; machine is not null; machine = await StandInMachine.NextAsync(_supervisor, place.Files, machine).WaitAsync(Limit, Token))
            machine.End();
        await _over.CancelAsync();
        await Task.WhenAll(_asked).WaitAsync(Limit, Token);
        try
        {
            await _supervisor.Completion.WaitAsync(Limit, Token);
            return How(_supervisor.Status.Phase.ToString());
        }
        catch (FaultException e)
        {
            return How(e.Faults[0].Code);
        }
        finally
        {
            await _supervisor.DisposeAsync();
        }
    }

    private string How(string end) => $"{(_supervisor.Ready.IsCompletedSuccessfully ? "ready" : "not ready")}, {end}";

    private async Task BecomesReadyAsync()
    {
        await FollowsAsync(_supervisor.Ready);

        // It has what it needs to ask the gateway, and knows it by what the guest has said.
        if (!IsOver && _supervisor.Status.Endpoint is not null)
            await UntilAsync(() => IsOver || _supervisor.Ready.IsCompleted || File.ReadAllText(place.Files.SupervisorLog).Contains("waiting for https", StringComparison.Ordinal)).WaitAsync(Limit, Token);
    }

    /// <summary>Time passes, and one of the watches looks: by asking that service, or for any sign of life.</summary>
    private async Task PassesAsync(int seconds, string? service)
    {
        if (IsOver)
            return;
        await FollowsAsync(UntilAsync(() => _time.Waiting >= Watches));
        Func<int> answers = service is null ? () => Frames.Count(frame => frame.Type == FrameType.Pong) : () => _guest.Answers(service);
        var before = answers();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        await FollowsAsync(UntilAsync(() => answers() > before));
    }

    /// <summary>What other processes of the user ask for, over the broker.</summary>
    private async Task UseAsync()
    {
        if (IsOver || await TryAsync(async () => await GuestAgent.ConnectAsync(place.Files.AgentSocket, cancellationToken: Token)) is not { } client)
            return;
        await using (client)
        {
            await AskAsync(() => TakeTreeAsync(client));
            await AskAsync(() => client.ReadFileAsync("/missing", Stream.Null, Token));
            await AskAsync(() => RunAsync(client));
            await AskAsync(() => client.CallAsync(SupervisorCall.PauseService, default, Token));
            await AskAsync(() => client.CallAsync(SupervisorCall.UnpauseService, default, Token));
            await AskAsync(() => client.CallAsync(SupervisorCall.SuspendService, default, Token));
            if (!IsOver)
                await FollowsAsync(_supervisor.Completion);
        }
    }

    private async Task AskAsync(Func<Task> ask)
    {
        if (IsOver)
            return;
        var asked = TryAsync(ask);
        _asked.Add(asked);
        await FollowsAsync(asked);
    }

    private async Task TakeTreeAsync(GuestAgent client)
    {
        await using var sink = new DiskSink(new TreeDestination { Path = place.Taken, Name = "tree" });
        await client.ReadTreeAsync(new TreeReadRequest("/tree", false), sink, new TreeLimits { MaxBytes = 1 << 20, MaxLength = 1 << 20 }, null, Token);
    }

    private static async Task RunAsync(GuestAgent client)
    {
        await using var process = await client.ExecAsync(new ExecRequest { Program = "id" }, Token);
        await Task.WhenAll(process.Stdout.CopyToAsync(Stream.Null, Token), process.Stderr.CopyToAsync(Stream.Null, Token));
        await process.Completion;
    }

    /// <summary>Waits for what follows, or, where something was changed, until the host has read on.</summary>
    private async Task FollowsAsync(Task what)
    {
        await Task.WhenAny(what, _guest.Wire.Changed, _guest.Closed, _supervisor.Completion).WaitAsync(Limit, Token);
        if (_guest.Wire.Changed.IsCompleted)
            await ProveAsync();
        else if (!what.IsCompleted && !(_guest.Closed.IsCompleted && await EndsSoonAsync(what)))
            throw new InvalidOperationException($"It ended although the guest said what it should: {await File.ReadAllTextAsync(place.Files.SupervisorLog, Token)}");
    }

    /// <summary>The guest is hung up on just before what is waited for.</summary>
    private async Task<bool> EndsSoonAsync(Task what)
    {
        await Task.WhenAny(what, _supervisor.Completion).WaitAsync(Limit, Token);
        return what.IsCompleted;
    }

    private async Task ProveAsync()
    {
        for (var (quiet, asked) = (0, -1); quiet < Quiet && !IsOver; quiet = asked == _guest.Asked ? quiet + 1 : 0)
        {
            asked = _guest.Asked;
            var proof = TryAsync(async () =>
            {
                await _guest.Wire.PadAsync(Token);
                await _guest.ReportApartAsync(Report("services/proof", StageState.Started));
            });
            _asked.Add(proof);
            await Task.WhenAny(proof, _guest.Closed, _guest.Wire.Silenced, _supervisor.Completion).WaitAsync(Limit, Token);
        }
    }

    private HostClocks Clocks() => new(TimeSpan.FromDays(20_000) + _slept, TimeSpan.FromDays(1) + _slept, TimeSpan.FromDays(1));

    /// <summary>Completes when it is so, or when the life is over.</summary>
    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition() && !_over.IsCancellationRequested)
            await Task.Delay(1, CancellationToken.None);
    }

    private static Task<object?> TryAsync(Func<Task> action) => TryAsync<object>(async () =>
    {
        await action();
        return new object();
    });

    /// <summary>Does what may fail in this life: somebody has hung up, or the guest refused.</summary>
    private static async Task<T?> TryAsync<T>(Func<Task<T>> action) where T : class
    {
        try
        {
            return await action();
        }
        catch (FaultException e)
        {
            e.Faults.SelectMany(fault => new[] { fault.Code, fault.What, fault.Remedy }).ShouldAllBe(text => !text.Any(char.IsControl));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MuxStreamException or SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}

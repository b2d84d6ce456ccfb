using System.Buffers;
using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using OpenShell.Tests.Fuzzing;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Guests.Tar;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Guests;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>
/// What a host asks of its agent: a program, files, trees, and whatever else a guest answers. What comes of it is really written, as the commands do, to one folder; the guest's side is this machine.
/// </summary>
internal sealed class AgentConversation
{
    /// <summary>More than a receiver gives credit back for, and less than is sent without.</summary>
    private const int Stdin = 80_000;

    /// <summary>Says something to its stderr too.</summary>
    private static readonly string[] Script = ["-c", "echo started >&2; exec cat"];

    private readonly TestFolder _folder;
    private readonly WatchedGuest _watched;
    private readonly byte[] _archive;

    public AgentConversation(TestFolder folder, WatchedGuest watched)
    {
        (_folder, _watched) = (folder, watched);
        Directory.CreateDirectory(_folder.File("tree/sub"));
        File.WriteAllText(_folder.File("file"), "content of a file");
        File.WriteAllText(_folder.File("tree/sub/file"), new string('x', 3000));
        File.CreateSymbolicLink(_folder.File("tree/link"), "sub/file");
        using var archive = new MemoryStream();
        TarFile.CreateFromDirectory(_folder.File("tree"), archive, includeBaseDirectory: false);
        _archive = archive.ToArray();
        Clear();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The only folder that is written to on the host's side.</summary>
    public string Taken => _folder.File("taken");

    /// <summary>What becomes of each request where the guest is a good one.</summary>
    public IReadOnlyList<string> Expected => ["done", "done", "done", "done", "done", "done", "guest.unknown-service", "done", .. _watched.Requests.Select(_ => "done")];

    /// <summary>What a guest sends: all kinds but what only a host does, and all frames of a session but a question of whether the host is there, and the last one.</summary>
    public static IEnumerable<string> StatesOfHost => States([MessageKinds.Stdin], [FrameType.Ping, FrameType.GoAway]);

    /// <summary>What a host sends; nobody asks it whether it is there.</summary>
    public static IEnumerable<string> StatesOfGuest => States(
        [
            MessageKinds.Reply, MessageKinds.Started, MessageKinds.Stdout, MessageKinds.Stderr, MessageKinds.Exit, MessageKinds.FileDescription, MessageKinds.FileWritten, MessageKinds.StageReport, MessageKinds.TreeWritten,
        ],
        [FrameType.Pong, FrameType.GoAway]);

    /// <summary>Nothing was taken yet.</summary>
    public void Clear()
    {
        if (Directory.Exists(Taken))
            Directory.Delete(Taken, recursive: true);
        Directory.CreateDirectory(Taken);
    }

    /// <summary>The requests of a host, in the order of their streams, and what became of each.</summary>
    public async Task<string[]> TalkAsync(GuestAgent agent)
    {
        var outcomes = await Task.WhenAll([
            OutcomeAsync(ExecAsync(agent)),
            OutcomeAsync(KillAsync(agent)),
            OutcomeAsync(ReadFileAsync(agent)),
            OutcomeAsync(agent.WriteFileAsync(_folder.File("written"), new MemoryStream(new byte[5000]), UnixFileMode.UserRead, Token)),
            OutcomeAsync(ReadTreeAsync(agent)),
            OutcomeAsync(WriteTreeAsync(agent)),
            OutcomeAsync(agent.CallAsync("nobody", "{}"u8.ToArray(), Token)),
            OutcomeAsync(agent.PingAsync(Token)),
            .. _watched.Requests.Select(asked => OutcomeAsync(agent.CallAsync(asked.Service, asked.Request, Token)))]);

        // The last word of the guest is an answer to this: behind each of its other frames there is another.
        await OutcomeAsync(agent.PingAsync(Token));
        return outcomes;
    }

    /// <summary>Takes reports as a supervisor does.</summary>
    public IProgress<StageReport> Reports => new ActionProgress<StageReport>(report =>
    {
        foreach (var text in (string?[])[report.Stage, report.Detail, report.Fault?.Code, report.Fault?.What, report.Fault?.Remedy])
        {
            if (text is not null && text.Any(char.IsControl))
                Unclean.Add(text);
        }
    });

    /// <summary>Texts of reports that would drive a terminal.</summary>
    public ConcurrentBag<string> Unclean { get; } = [];

    /// <summary>A real host and a real guest, and what each was sent.</summary>
    public async Task<(IReadOnlyList<RecordedFrame> ToHost, IReadOnlyList<RecordedFrame> ToGuest)> RecordAsync(TimeSpan limit)
    {
        var path = _folder.File("record");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var reaper = new ChildReaper(ReaperScope.TrackedOnly);
        var taps = new List<Tap>();
        await using var server = new AgentServer(
            AgentPort.From(async token =>
            {
                taps.Add(new Tap(new NetworkStream(await listener.AcceptAsync(token), ownsSocket: true)));
                return taps[^1];
            }),
            reaper,
            (_, _) => Task.CompletedTask,
            _watched.Options);
        _ = server.ConnectAsync(Token);
        await server.ReportAsync(new StageReport { Stage = "init", State = StageState.Completed, UptimeNanoseconds = 1 }, Token);
        await using (var agent = await GuestAgent.ConnectAsync(path, GuestOnHost.SomeConfig, Reports, Token))
            (await TalkAsync(agent).WaitAsync(limit, Token)).ShouldBe(Expected);
        var (toGuest, toHost) = taps[0].Recorded();
        File.Delete(path);
        Clear();
        return (RecordedFrame.Read(toHost), RecordedFrame.Read(toGuest));
    }

    /// <summary>
    /// Whether obeying it does nothing outside of this test's folder. A host may have the guest do anything, and here the guest is this machine: so requests that the changes have turned into ones
    /// for other programs or paths are not made.
    /// </summary>
    public bool IsHarmless(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        var reader = new FrameReader();
        try
        {
            while (reader.TryRead(ref buffer, out var frame))
            {
                if (frame.Header.Type == FrameType.Open && !IsHarmlessRequest(frame.Payload.ToArray()))
                    return false;
            }
        }
        catch (ProtocolException)
        {
            // The server reads no further either.
        }

        return true;
    }

    /// <summary>Texts of a guest, as they are shown.</summary>
    private static void ShouldDriveNoTerminal(params IEnumerable<string?> texts) => texts.ShouldAllBe(text => text == null || !text.Any(char.IsControl));

    private static IEnumerable<string> States(byte[] kindsOfOthers, FrameType[] typesOfOthers) =>
    [
        "the handshake",
        .. Enum.GetValues<FrameType>().Where(type => (byte)type >= 16 && type != FrameType.Message).Except(typesOfOthers).Select(type => $"{type}"),
        .. typeof(MessageKinds).GetFields().Select(kind => (byte)kind.GetRawConstantValue()!).Except(kindsOfOthers).Select(kind => new RecordedFrame(FrameType.Message, kind, 0, []).Label),
    ];

    private async Task ReadFileAsync(GuestAgent agent)
    {
        await using var file = File.Create(Path.Combine(Taken, "file"));
        await agent.ReadFileAsync(_folder.File("file"), file, Token);
    }

    private async Task ReadTreeAsync(GuestAgent agent)
    {
        await using var sink = new DiskSink(new TreeDestination { Path = Taken, Name = "tree" });
        await agent.ReadTreeAsync(new TreeReadRequest(_folder.File("tree"), false), sink, new TreeLimits { MaxBytes = 1 << 20, MaxLength = 1 << 20 }, null, Token);
    }

    private async Task WriteTreeAsync(GuestAgent agent)
    {
        using var archive = new MemoryStream(_archive);
        await agent.WriteTreeAsync(new TreeWriteRequest(_folder.File("into"), "", true), (stream, token) => TarSource.SendAsync(archive, stream, null, token), Token);
    }

    /// <summary>A program that says what it hears; its stdin ends once it has said all of it.</summary>
    private static async Task ExecAsync(GuestAgent agent)
    {
        await using var process = await agent.ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = Script, Stdin = true }, Token);
        var stderr = process.Stderr.CopyToAsync(Stream.Null, Token);
        try
        {
            await process.Stdin.WriteAsync(new byte[Stdin], Token);
            await process.Stdout.ReadExactlyAsync(new byte[Stdin], Token);
            await process.Stdin.DisposeAsync();
            await process.Stdout.CopyToAsync(Stream.Null, Token);
        }
        catch (EndOfStreamException)
        {
            // It has ended, or so the guest says.
        }
        finally
        {
            await process.Completion;
            await stderr;
        }
    }

    private static async Task KillAsync(GuestAgent agent) => await (await agent.ExecAsync(new ExecRequest { Program = "/bin/cat", Stdin = true }, Token)).DisposeAsync();

    private static async Task<string> OutcomeAsync(Task work)
    {
        try
        {
            await work;
            return "done";
        }
        catch (FaultException e)
        {
            ShouldDriveNoTerminal(e.Faults.SelectMany(fault => new[] { fault.Code, fault.What, fault.Remedy }));
            return e.Faults[0].Code;
        }
        catch (Exception e) when (e is FileNotFoundException or UnauthorizedAccessException)
        {
            ShouldDriveNoTerminal(e.Message);
            return e.GetType().Name;
        }
        catch (MuxStreamException e)
        {
            return e.GetType().Name;
        }
    }

    private bool IsHarmlessRequest(byte[] open)
    {
        if (open.Length == 0 || open.Length < 1 + open[0])
            return true;
        var header = open.AsSpan(1 + open[0]);
        try
        {
            return Encoding.Latin1.GetString(open, 1, open[0]) switch
            {
                ServiceNames.Exec => IsHarmlessProgram(JsonSerializer.Deserialize(header, ProtocolJson.Default.ExecRequest)),
                ServiceNames.FileRead => IsHere(JsonSerializer.Deserialize(header, ProtocolJson.Default.FileReadRequest)?.Path),
                ServiceNames.FileWrite => IsHere(JsonSerializer.Deserialize(header, ProtocolJson.Default.FileWriteRequest)?.Path),
                ServiceNames.TreeRead => IsHere(JsonSerializer.Deserialize(header, ProtocolJson.Default.TreeReadRequest)?.Path),
                ServiceNames.TreeWrite => IsHere(JsonSerializer.Deserialize(header, ProtocolJson.Default.TreeWriteRequest)?.Path),
                _ => true,
            };
        }
        catch (JsonException)
        {
            return true;
        }
    }

    private static bool IsHarmlessProgram(ExecRequest? request) =>
        request is null or { Program: "/bin/cat", Arguments.Count: 0 } || (request.Program == "/bin/sh" && request.Arguments.SequenceEqual(Script) && request.Environment.Count == 0);

    private bool IsHere(string? path) => path is null || !path.StartsWith('/') || (path.StartsWith(_folder.Path + "/", StringComparison.Ordinal) && !path.Contains("..", StringComparison.Ordinal));
}

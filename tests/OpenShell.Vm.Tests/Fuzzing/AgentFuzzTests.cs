using System.Buffers;
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
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Guests;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>
/// The host's agent, the broker and the guest's server, each against a peer that shakes hands properly and then says what was really said once, changed. Every request must come to an end, and the next peer be served.
/// Together with those of the protocol's own tests there are more than 100,000 cases.
/// </summary>
public sealed class AgentFuzzTests : IDisposable
{
    private const int HostCases = 3_000;
    private const int GuestCases = 1_000;
    private const int BrokerCases = 600;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();
    private readonly byte[] _archive;
    private readonly WatchedGuest _watched;
    private string? _failure;

    public AgentFuzzTests()
    {
        Directory.CreateDirectory(_folder.File("tree/sub"));
        File.WriteAllText(_folder.File("file"), "content of a file");
        File.WriteAllText(_folder.File("tree/sub/file"), new string('x', 3000));
        File.CreateSymbolicLink(_folder.File("tree/link"), "sub/file");
        using var archive = new MemoryStream();
        TarFile.CreateFromDirectory(_folder.File("tree"), archive, includeBaseDirectory: false);
        _archive = archive.ToArray();
        _watched = new WatchedGuest(_folder);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Whatever_a_guest_says_every_request_of_the_host_ends()
    {
        var (toHost, _) = await RecordAsync();
        using var listener = Listen("hostile");
        var reached = new Reached("host's agent, thirteen requests to a case");
        FuzzCases.Check(HostCases, 1, input => HoldsAsync(async () =>
        {
            var agentTask = GuestAgent.ConnectAsync(_folder.File("hostile"), progress: new Progress<StageReport>(), cancellationToken: Token);
            using var socket = await listener.AcceptAsync(Token);
            await using var transport = new FrameTransport(new NetworkStream(socket));
            var (session, _) = await HelloSide.RunAsync(transport, "guest", "fuzz", Token);
            await using var agent = await agentTask;
            var outcomes = TalkAsync(agent);
            var reading = DrainAsync(socket);
            await SendAsync(socket, Mutation.Apply(toHost, input.Mutations, session.Epoch), input.Pieces);
            foreach (var outcome in await outcomes.WaitAsync(Limit, Token))
                reached.Add($"behind {StateOf(toHost, input)}", outcome);
            await agent.Closed.WaitAsync(Limit, Token);
            socket.Close();
            await reading.WaitAsync(Limit, Token);
        }));

        reached.Print();
        _failure.ShouldBeNull();
        reached.Outcomes.ShouldContain("done");
        reached.Outcomes.ShouldContain("guest.connection-lost");
        ShouldHaveReachedMostOf(toHost, reached);
    }

    [Fact]
    public async Task Whatever_a_host_says_the_guest_serves_the_next_one()
    {
        var (_, toGuest) = await RecordAsync();
        using var listener = Listen("guest");
        using var reaper = new ChildReaper(ReaperScope.TrackedOnly);
        await using var server = new AgentServer(AgentPort.From(async token => new NetworkStream(await listener.AcceptAsync(token), ownsSocket: true)), reaper, (_, _) => Task.CompletedTask, _watched.Options);
        _ = server.ConnectAsync(Token);
        var reached = new Reached("guest's server");
        var left = 0;
        FuzzCases.Check(GuestCases, 1, input => HoldsAsync(async () => left += await AttackAsync("guest", toGuest, input, reached) ? 0 : 1));

        reached.Print();
        _failure.ShouldBeNull();
        left.ShouldBeLessThan(GuestCases / 4, "cases that would have written elsewhere on this machine");
        ShouldHaveReachedMostOf(toGuest, reached);
        await using var agent = await GuestAgent.ConnectAsync(_folder.File("guest"), GuestOnHost.SomeConfig, null, Token);
        (await TalkAsync(agent).WaitAsync(Limit, Token)).ShouldBe(Expected);
        await WatchedRightlyAsync();
    }

    [Fact]
    public async Task Whatever_a_client_says_the_broker_serves_the_next_one()
    {
        var (_, toGuest) = await RecordAsync();
        await using var guest = await GuestOnHost.StartAsync(Route.Broker, _watched.Options);
        var reached = new Reached("broker");
        var left = 0;
        FuzzCases.Check(BrokerCases, 1, input => HoldsAsync(async () => left += await AttackAsync(guest.BrokerSocket, toGuest, input, reached) ? 0 : 1));

        reached.Print();
        _failure.ShouldBeNull();
        left.ShouldBeLessThan(BrokerCases / 4, "cases that would have written elsewhere on this machine");
        ShouldHaveReachedMostOf(toGuest, reached);
        await using var agent = await guest.AttachAsync();
        (await TalkAsync(agent).WaitAsync(Limit, Token)).ShouldBe(Expected);
        await WatchedRightlyAsync();
    }

    private string[] Expected => ["done", "done", "done", "done", "done", "guest.unknown-service", "done", .. _watched.Requests.Select(_ => "done")];

    /// <summary>Of what was asked of the machine, only what may be asked was done, and its files are whole.</summary>
    private async Task WatchedRightlyAsync()
    {
        await _watched.Behind.WaitAsync(Limit, Token);
        _watched.Wrong.ShouldBeEmpty();
        _watched.Becomings.ShouldBeGreaterThan(1);
    }

    /// <summary>A host that sends this, and hangs up; the server must hang up too. False: it was not sent, since it would be obeyed.</summary>
    private async Task<bool> AttackAsync(string socketName, IReadOnlyList<RecordedFrame> toGuest, FuzzCase input, Reached reached)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.IsPathRooted(socketName) ? socketName : _folder.File(socketName)), Token);
        await using var transport = new FrameTransport(new NetworkStream(socket));
        var session = await WelcomeSide.RunAsync(transport, null, "fuzz", Token).WaitAsync(Limit, Token);
        var bytes = Mutation.Apply(toGuest, input.Mutations, session.Epoch);
        if (!IsHarmless(bytes))
            return false;

        // With a word of farewell: a server whose hosts are only cut off waits longer and longer for the next.
        await SendAsync(socket, [.. bytes, .. FrameWriter.ToArray(session.Epoch, FrameType.GoAway, 0, 0, new byte[4])], input.Pieces, close: false);
        var reading = DrainAsync(socket);
        Shutdown(socket);
        reached.Add($"behind {StateOf(toGuest, input)}", await reading.WaitAsync(Limit, Token) ? "answered" : "silent");
        return true;
    }

    /// <summary>The requests of a host, in the order of their streams, and what became of each.</summary>
    private async Task<string[]> TalkAsync(GuestAgent agent) => await Task.WhenAll([
        OutcomeAsync(ExecAsync(agent)),
        OutcomeAsync(agent.ReadFileAsync(_folder.File("file"), new MemoryStream(), Token)),
        OutcomeAsync(agent.WriteFileAsync(_folder.File("written"), new MemoryStream(new byte[5000]), UnixFileMode.UserRead, Token)),
        OutcomeAsync(agent.ReadTreeAsync(new TreeReadRequest(_folder.File("tree"), false), new Nowhere(), new TreeLimits { MaxBytes = 1 << 20, MaxLength = 1 << 20 }, null, Token)),
        OutcomeAsync(WriteTreeAsync(agent)),
        OutcomeAsync(agent.CallAsync("nobody", "{}"u8.ToArray(), Token)),
        OutcomeAsync(agent.PingAsync(Token)),
        .. _watched.Requests.Select(asked => OutcomeAsync(agent.CallAsync(asked.Service, asked.Request, Token)))]);

    private async Task WriteTreeAsync(GuestAgent agent)
    {
        using var archive = new MemoryStream(_archive);
        await agent.WriteTreeAsync(new TreeWriteRequest(_folder.File("into"), "", true), (stream, token) => TarSource.SendAsync(archive, stream, null, token), Token);
    }

    private static async Task ExecAsync(GuestAgent agent)
    {
        await using var process = await agent.ExecAsync(new ExecRequest { Program = "/bin/cat", Stdin = true }, Token);
        var output = Task.WhenAll(process.Stdout.CopyToAsync(Stream.Null, Token), process.Stderr.CopyToAsync(Stream.Null, Token));
        try
        {
            await process.Stdin.WriteAsync("hello"u8.ToArray(), Token);
            await process.Stdin.DisposeAsync();
        }
        finally
        {
            await process.Completion;
            await output;
        }
    }

    private static async Task<string> OutcomeAsync(Task work)
    {
        try
        {
            await work;
            return "done";
        }
        catch (FaultException e)
        {
            return e.Faults[0].Code;
        }
        catch (Exception e) when (e is FileNotFoundException or UnauthorizedAccessException or Protocol.Mux.MuxStreamException)
        {
            return e.GetType().Name;
        }
    }

    /// <summary>A real host and a real guest, and what each was sent.</summary>
    private async Task<(IReadOnlyList<RecordedFrame> ToHost, IReadOnlyList<RecordedFrame> ToGuest)> RecordAsync()
    {
        using var listener = Listen("record");
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
        await using (var agent = await GuestAgent.ConnectAsync(_folder.File("record"), GuestOnHost.SomeConfig, new Progress<StageReport>(), Token))
            (await TalkAsync(agent).WaitAsync(Limit, Token)).ShouldBe(Expected);
        var (toGuest, toHost) = taps[0].Recorded();
        File.Delete(_folder.File("record"));
        return (RecordedFrame.Read(toHost), RecordedFrame.Read(toGuest));
    }

    /// <summary>
    /// Whether obeying it does nothing outside of this test's folder. A host may have the guest do anything, and here the guest is this machine: so requests that the changes have turned into ones
    /// for other programs or paths are not made.
    /// </summary>
    private bool IsHarmless(byte[] bytes)
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

    private bool IsHarmlessRequest(byte[] open)
    {
        if (open.Length == 0 || open.Length < 1 + open[0])
            return true;
        var header = open.AsSpan(1 + open[0]);
        try
        {
            return Encoding.Latin1.GetString(open, 1, open[0]) switch
            {
                ServiceNames.Exec => JsonSerializer.Deserialize(header, ProtocolJson.Default.ExecRequest) is null or { Program: "/bin/cat", Arguments.Count: 0 },
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

    private bool IsHere(string? path) => path is null || !path.StartsWith('/') || (path.StartsWith(_folder.Path + "/", StringComparison.Ordinal) && !path.Contains("..", StringComparison.Ordinal));

    /// <summary>The case as a property: its first failure is kept, since FsCheck tells only the case.</summary>
    private bool HoldsAsync(Func<Task> work)
    {
        try
        {
            work().GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e)
        {
            _failure ??= e.ToString();
            throw;
        }
    }

    /// <summary>How many states there are depends on the order in which the two happened to speak when they were recorded.</summary>
    private static void ShouldHaveReachedMostOf(IReadOnlyList<RecordedFrame> session, Reached reached)
    {
        var there = session.SkipLast(1).Select(frame => frame.Label).Distinct().Count() + 1;
        reached.States.Count().ShouldBeGreaterThanOrEqualTo(there * 3 / 4, $"of {there} states");
    }

    private static string StateOf(IReadOnlyList<RecordedFrame> session, FuzzCase input) => input.Mutations.Min(m => m.At % session.Count) is > 0 and var at ? session[at - 1].Label : "the handshake";

    private Socket Listen(string name)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder.File(name)));
        listener.Listen();
        return listener;
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, int pieces, bool close = true)
    {
        try
        {
            for (var at = 0; at < bytes.Length; at += pieces * 16)
                await socket.SendAsync(bytes.AsMemory(at, Math.Min(pieces * 16, bytes.Length - at)), Token);
        }
        catch (SocketException)
        {
            // The other side has had enough.
        }

        if (close)
            Shutdown(socket);
    }

    private static void Shutdown(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It was first.
        }
    }

    /// <summary>Reads until the other side hangs up.</summary>
    private static async Task<bool> DrainAsync(Socket socket)
    {
        var buffer = new byte[65536];
        var any = false;
        try
        {
            while (await socket.ReceiveAsync(buffer, Token) > 0)
                any = true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone as well.
        }

        return any;
    }

    /// <summary>Takes a tree, and keeps nothing.</summary>
    private sealed class Nowhere : ITreeSink
    {
        public ValueTask EnterFolderAsync(string? name, TreeEntry entry, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask LeaveFolderAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask LinkAsync(string? name, TreeEntry entry, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask BeginFileAsync(string? name, TreeEntry entry, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask EndFileAsync(long length, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask CommitAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Writes down what goes through it.</summary>
    private sealed class Tap(Stream inner) : Stream
    {
        private readonly MemoryStream _read = new();
        private readonly MemoryStream _written = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public (byte[] Read, byte[] Written) Recorded()
        {
            lock (_read)
                return (_read.ToArray(), _written.ToArray());
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            lock (_read)
                _read.Write(buffer.Span[..count]);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            lock (_read)
                _written.Write(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}

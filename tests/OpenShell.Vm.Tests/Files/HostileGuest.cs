using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Tests.Files;

/// <summary>A guest that shakes hands properly and then sends as a tree whatever a test likes.</summary>
internal sealed class HostileGuest : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _serving;
    private GuestAgent? _agent;

    public HostileGuest(string socket, Func<Sender, Task> sends)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen();
        _serving = ServeAsync(sends);
        Socket = socket;
    }

    public string Socket { get; }

    public async Task<GuestAgent> ConnectAsync() => _agent = await GuestAgent.ConnectAsync(Socket, cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
            await _agent.DisposeAsync();
        await _serving.WaitAsync(TimeSpan.FromSeconds(30));
        _listener.Dispose();
    }

    private async Task ServeAsync(Func<Sender, Task> sends)
    {
        await using var transport = new FrameTransport(new NetworkStream(await _listener.AcceptAsync(), ownsSocket: true));
        var (session, _) = await HelloSide.RunAsync(transport, "guest", "hostile", CancellationToken.None);
        await using var connection = MuxConnection.Start(transport, session, service => service == ServiceNames.TreeRead ? (stream, _) => sends(new Sender(stream)) : null);
        await connection.Closed;
    }

    /// <summary>Its end of the stream.</summary>
    internal sealed class Sender(MuxStream stream)
    {
        private readonly List<byte[]> _data = [];
        private long _entries;
        private long _bytes;

        public Task RawAsync(byte kind, byte[] payload) => stream.WriteAsync(kind, payload).AsTask();

        public Task JsonAsync(string entry)
        {
            _entries++;
            return RawAsync(MessageKinds.TreeEntry, Encoding.UTF8.GetBytes(entry));
        }

        public Task EntryAsync(string path, TreeEntryKind kind, int mode = 0x1ED, string? target = null) =>
            JsonAsync(JsonSerializer.Serialize(new TreeEntry { Path = path, Kind = kind, Mode = mode, Target = target }, ProtocolJson.Default.TreeEntry));

        public Task FolderAsync(string path, int mode = 0x1ED) => EntryAsync(path, TreeEntryKind.Folder, mode);

        public Task LinkAsync(string path, string target) => EntryAsync(path, TreeEntryKind.Link, target: target);

        public async Task FileAsync(string path, string content = "evil", int mode = 0x1A4)
        {
            await EntryAsync(path, TreeEntryKind.File, mode);
            await DataAsync(0, Encoding.UTF8.GetBytes(content));
            await FileEndAsync(content.Length);
        }

        public Task DataAsync(long offset, byte[] data)
        {
            byte[] payload = [.. BitConverter.GetBytes(offset), .. data];
            _data.Add(payload);
            _bytes += data.Length;
            return RawAsync(MessageKinds.TreeData, payload);
        }

        public Task FileEndAsync(long length)
        {
            var end = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(end, length);
            var digest = SHA256.HashData([.. _data.SelectMany(d => d), .. end]);
            _data.Clear();
            return RawAsync(MessageKinds.TreeFileEnd, [.. end, .. digest]);
        }

        public Task EndAsync(long? entries = null) =>
            RawAsync(MessageKinds.TreeEnd, JsonSerializer.SerializeToUtf8Bytes(new TreeSummary(entries ?? _entries, _bytes, 0), ProtocolJson.Default.TreeSummary));
    }
}

using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>
/// One thread that waits for all pipes, terminals and ports by epoll(7), edge-triggered: .NET itself waits so only for sockets and would block a
/// thread of its pool for every other descriptor.
/// </summary>
internal sealed unsafe class Poller
{
    private const int Batch = 64;

    // struct epoll_event is packed on x86-64 only (bits/epoll.h).
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventSize = IsPacked ? 12 : 16;
    private static readonly int DataOffset = IsPacked ? 4 : 8;
    private static readonly Lazy<Poller> Instance = new(() => new Poller());

    private readonly ConcurrentDictionary<long, FdStream> _streams = new();
    private readonly int _epoll;
    private long _lastToken;

    private Poller()
    {
        // A program that closes its stdin early must not end this process.
        _ = Libc.signal(Libc.SIGPIPE, Libc.SIG_IGN);
        _epoll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw new IOException($"epoll: {Libc.Message(Marshal.GetLastPInvokeError())}");
        new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "poller" }.Start();
    }

    public static Poller Shared => Instance.Value;

    /// <summary>Tells the stream whenever it has become readable or writable, until its descriptor is closed (which makes epoll forget it).</summary>
    /// <returns>A token for <see cref="Remove"/>: unlike a descriptor's number it is never used again.</returns>
    public long Add(FdStream stream)
    {
        var token = Interlocked.Increment(ref _lastToken);
        _streams[token] = stream;
        var ev = stackalloc byte[EventSize];
        *(uint*)ev = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;
        *(long*)(ev + DataOffset) = token;
        if (Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_ADD, stream.Handle, ev) == 0)
            return token;
        var errno = Marshal.GetLastPInvokeError();
        _streams.TryRemove(token, out _);
        throw new IOException($"epoll: {Libc.Message(errno)}");
    }

    public void Remove(long token) => _streams.TryRemove(token, out _);

    private void Run()
    {
        var events = stackalloc byte[Batch * EventSize];
        while (true)
        {
            var count = Libc.epoll_wait(_epoll, events, Batch, -1);
            for (var i = 0; i < count; i++)
            {
                var ev = events + (i * EventSize);
                if (_streams.TryGetValue(*(long*)(ev + DataOffset), out var stream))
                    stream.OnReady(*(uint*)ev);
            }
        }
    }
}

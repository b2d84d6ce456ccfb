using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Mux;

public sealed partial class MuxConnection
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<TimeSpan>> _pings = new();
    private ulong _lastPing;

    /// <summary>Measures a round trip through both ends' loops; waits without limit for a peer that does not answer.</summary>
    /// <exception cref="MuxStreamException">The session is over.</exception>
    public async Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        var number = Interlocked.Increment(ref _lastPing);
        var pong = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pings[number] = pong;
        try
        {
            var payload = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(payload, number);
            var start = Stopwatch.GetTimestamp();
            Enqueue(new OutgoingFrame(FrameType.Ping, 0, payload));
            if (_end is { } end)
                FailPings(end);
            await pong.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(start);
        }
        finally
        {
            _pings.TryRemove(number, out _);
        }
    }

    /// <summary>A pong that nobody waits for any more is no error: its ping was given up.</summary>
    private void OnPong(ulong number)
    {
        if (_pings.TryRemove(number, out var pong))
            pong.TrySetResult(default);
    }

    private void FailPings(ConnectionEnd end)
    {
        foreach (var pong in _pings.Values)
            pong.TrySetException(new MuxStreamException(end.Code, end.Text));
    }
}

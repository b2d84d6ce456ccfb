using System.Buffers;
using OpenShell.Tests.Fuzzing;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>
/// The wire behind a guest that behaves: what it writes goes on frame by frame, and some of them changed. So each change meets a host that is where it would be with a good guest, with everything under way. The handshake is left alone.
/// </summary>
/// <param name="inner">Leads to the host.</param>
/// <param name="mutations">What is done, each to the frame of its number.</param>
/// <param name="behind">They are all done, instead, to the first frame that comes in this state.</param>
internal sealed class MutatingStream(Stream inner, IReadOnlyList<Mutation> mutations, string? behind = null) : Stream
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly FrameReader _reader = new();
    private readonly List<RecordedFrame> _frames = [];
    private readonly TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _silenced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<byte[]> _held = [];
    private readonly HashSet<uint> _spared = [];
    private byte[] _rest = [];
    private uint _epoch;

    /// <summary>At the end of a stream's header: it is none of the guest's, and goes through as it is.</summary>
    public static ReadOnlySpan<byte> Spared => "spared"u8;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The frames of the session so far, as the guest wrote them.</summary>
    public IReadOnlyList<RecordedFrame> Frames
    {
        get
        {
            lock (_frames)
                return [.. _frames];
        }
    }

    /// <summary>Completes when the first change is on its way.</summary>
    public Task Changed => _changed.Task;

    /// <summary>The state in which that was.</summary>
    public string? State { get; private set; }

    /// <summary>Completes when nothing more comes through.</summary>
    public Task Silenced => _silenced.Task;

    /// <summary>Sends what a reader passes over that is not in the middle of a frame, and what completes, wrongly, any frame that it still waits for.</summary>
    public async Task PadAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!_silenced.Task.IsCompleted)
                await inner.WriteAsync(FrameWriter.ToArray(_epoch == uint.MaxValue ? 1 : _epoch + 1, FrameType.Message, 0, 1, new byte[ProtocolLimits.MaxPayload]), cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var bytes = Through(buffer);
            if (bytes.Length > 0)
                await inner.WriteAsync(bytes, cancellationToken);
            if (State is not null)
                _changed.TrySetResult();
        }
        finally
        {
            _writing.Release();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

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

    private byte[] Through(ReadOnlyMemory<byte> buffer)
    {
        var sequence = new ReadOnlySequence<byte>((byte[])[.. _rest, .. buffer.Span]);
        var pieces = new List<byte[]>();
        while (_reader.TryRead(ref sequence, out var frame))
        {
            var header = frame.Header;
            var recorded = new RecordedFrame(header.Type, header.Kind, header.Stream, frame.Payload.ToArray());
            if ((byte)header.Type < 16)
                pieces.Add(recorded.ToBytes(header.Epoch));
            else if (!_silenced.Task.IsCompleted)
                pieces.AddRange(Through(recorded, _epoch = header.Epoch));
        }

        _rest = sequence.ToArray();
        return [.. pieces.SelectMany(piece => piece)];
    }

    private List<byte[]> Through(RecordedFrame frame, uint epoch)
    {
        if (frame.Type == FrameType.Open && frame.Payload.AsSpan().EndsWith(Spared))
            _spared.Add(frame.Stream);
        if (_spared.Contains(frame.Stream))
            return WithHeld([frame.ToBytes(epoch)]);
        int at;
        string state;
        lock (_frames)
        {
            at = _frames.Count;
            state = at == 0 ? "the handshake" : _frames[^1].Label;
            _frames.Add(frame);
        }

        List<byte[]> now = [frame.ToBytes(epoch)];
        var due = behind is null ? mutations.Where(mutation => mutation.At == at) : State is null && state == behind ? mutations : [];
        var waits = false;
        foreach (var mutation in due.ToList())
        {
            State ??= state;
            switch (mutation.Kind)
            {
                case MutationKind.End:
                    _silenced.TrySetResult();
                    now = [];
                    break;
                case MutationKind.Swap:
                    waits = true;
                    break;
                default:
                    now = mutation.Change(frame, now, epoch);
                    break;
            }
        }

        if (waits)
        {
            _held.AddRange(now);
            return [];
        }

        return WithHeld(now);
    }

    /// <summary>What has changed places with what comes now.</summary>
    private List<byte[]> WithHeld(List<byte[]> now)
    {
        now = [.. now, .. _held];
        _held.Clear();
        return now;
    }
}

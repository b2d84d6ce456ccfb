using System.IO.Pipelines;
using System.Text.Json;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>A program in the guest: one stream, taken apart into the program's own.</summary>
internal sealed class GuestProcess : IGuestProcess
{
    // An id goes back in the header of a request; longer ones than a guest of this project makes are nonsense.
    private const int MaxId = 64;

    private readonly MuxConnection _connection;
    private readonly MuxStream _stream;
    private readonly string _program;
    private readonly Pipe _stdout = new(Options);
    private readonly Pipe _stderr = new(Options);
    private readonly TaskCompletionSource<string> _id = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GuestProcess(MuxConnection connection, MuxStream stream, ExecRequest request)
    {
        _connection = connection;
        _stream = stream;
        _program = request.Program;
        Stdout = _stdout.Reader.AsStream();
        Stderr = _stderr.Reader.AsStream();
        Stdin = request.Stdin ? new MuxWriteStream(stream, MessageKinds.Stdin) : Stream.Null;
        Completion = ReceiveAsync();
    }

    public Stream Stdin { get; }

    public Stream Stdout { get; }

    public Stream Stderr { get; }

    public Task<ExecResult> Completion { get; }

    private static PipeOptions Options { get; } = new(
        pauseWriterThreshold: ProtocolLimits.StreamWindow, resumeWriterThreshold: ProtocolLimits.StreamWindow / 2, useSynchronizationContext: false);

    public Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default) =>
        ControlAsync(ServiceNames.ExecResize, id => JsonSerializer.SerializeToUtf8Bytes(new ExecResize(id, size), ProtocolJson.Default.ExecResize), cancellationToken);

    public Task SignalAsync(int signal, CancellationToken cancellationToken = default) =>
        ControlAsync(ServiceNames.ExecSignal, id => JsonSerializer.SerializeToUtf8Bytes(new ExecSignal(id, signal), ProtocolJson.Default.ExecSignal), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // The guest kills a program whose stream is dropped.
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_stdout.Reader.CompleteAsync().AsTask(), _stderr.Reader.CompleteAsync().AsTask()).ConfigureAwait(false);
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Control goes by streams of its own, which need the id that the guest gave: so it waits for the start. Of a program that has ended it is forgotten.</summary>
    private async Task ControlAsync(string service, Func<string, byte[]> request, CancellationToken cancellationToken)
    {
        if (await Task.WhenAny(_id.Task, Completion).WaitAsync(cancellationToken).ConfigureAwait(false) == Completion)
            return;
        try
        {
            await _connection.CallAsync(service, request(await _id.Task.ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        }
        catch (MuxStreamException e) when (e.Code == ProtocolCode.NotFound)
        {
            // It has just ended.
        }
        catch (MuxStreamException e)
        {
            throw GuestFaults.From(_program, e);
        }
    }

    private async Task<ExecResult> ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            if (Stdin == Stream.Null)
                await _stream.CompleteWritesAsync().ConfigureAwait(false);
            ExecResult? result = null;
            while (await _stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                using (message)
                    result = await TakeAsync(message).ConfigureAwait(false) ?? result;
            }
            return result ?? throw new MuxStreamException(ProtocolCode.Internal, "the guest did not say how it ended");
        }
        catch (Exception e) when (e is MuxStreamException or JsonException)
        {
            failure = e is MuxStreamException reset ? GuestFaults.From(_program, reset) : GuestFaults.ConnectionLost(e.Message, e);
            throw failure;
        }
        finally
        {
            await _stdout.Writer.CompleteAsync(failure).ConfigureAwait(false);
            await _stderr.Writer.CompleteAsync(failure).ConfigureAwait(false);
        }
    }

    private async Task<ExecResult?> TakeAsync(MuxMessage message)
    {
        switch (message.Kind)
        {
            // A reader that was closed early lets the rest fall through: a flush then returns at once.
            case MessageKinds.Stdout:
                await _stdout.Writer.WriteAsync(message.Payload).ConfigureAwait(false);
                return null;
            case MessageKinds.Stderr:
                await _stderr.Writer.WriteAsync(message.Payload).ConfigureAwait(false);
                return null;
            case MessageKinds.Started:
                var started = JsonSerializer.Deserialize(message.Payload.Span, ProtocolJson.Default.ExecStarted);
                if (started?.Id is not { Length: > 0 and <= MaxId })
                    throw new JsonException("The guest gave the program no name.");
                _id.TrySetResult(started.Id);
                return null;
            case MessageKinds.Exit:
                return JsonSerializer.Deserialize(message.Payload.Span, ProtocolJson.Default.ExecResult);
            default:
                return null;
        }
    }
}

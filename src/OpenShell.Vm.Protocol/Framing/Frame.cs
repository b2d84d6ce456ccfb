using System.Buffers;

namespace OpenShell.Vm.Protocol.Framing;

/// <summary>A whole frame, its checksums verified. The payload lies in the reader's buffer: it is gone once that is advanced.</summary>
public readonly record struct Frame(FrameHeader Header, ReadOnlySequence<byte> Payload);

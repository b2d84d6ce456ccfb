using System.Buffers;
using System.Text;

namespace OpenShell.Gateway.Protobuf;

/// <summary>Writes the protobuf wire format (https://protobuf.dev/programming-guides/encoding/). As in proto3, a field that has its default value is left out.</summary>
internal sealed class ProtoWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>A whole number (int32, int64) or an enum.</summary>
    public void Int64(int field, long value)
    {
        if (value == 0)
            return;
        Varint((ulong)field << 3);
        Varint((ulong)value);
    }

    /// <summary>A text.</summary>
    public void String(int field, string value)
    {
        if (value.Length > 0)
            Bytes(field, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>A message; unlike a number, it is written even if it is empty, but not if there is none.</summary>
    public void Message<T>(int field, T? value)
        where T : class, IProtoMessage<T>
    {
        if (value is null)
            return;
        var nested = new ProtoWriter();
        value.Write(nested);
        Bytes(field, nested.Written);
    }

    private void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    private void Varint(ulong value)
    {
        Span<byte> buffer = stackalloc byte[10];
        var length = 0;
        for (; value > 0x7f; value >>= 7)
            buffer[length++] = (byte)(value | 0x80);
        buffer[length++] = (byte)value;
        _bytes.Write(buffer[..length]);
    }
}

using System.Text;

namespace OpenShell.Gateway.Protobuf;

/// <summary>Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding/), as much of it as the messages need.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = message;
    private ulong _tag;

    /// <summary>Goes to the next field.</summary>
    /// <returns>Its number; 0 at the end.</returns>
    public int NextField()
    {
        if (_rest.IsEmpty)
            return 0;
        _tag = Varint();
        var number = _tag >> 3;
        return number is > 0 and <= 0x1fffffff ? (int)number : throw new InvalidDataException("a field has an impossible number.");
    }

    /// <summary>The field's value as a whole number or an enum.</summary>
    public long Int64()
    {
        Expect(0);
        return (long)Varint();
    }

    /// <summary>The field's value as text.</summary>
    public string String()
    {
        try
        {
            return Utf8.GetString(Bytes());
        }
        catch (ArgumentException invalid)
        {
            throw new InvalidDataException("a text is not UTF-8.", invalid);
        }
    }

    /// <summary>The field's value as a message.</summary>
    public T Message<T>()
        where T : IProtoMessage<T>
    {
        var nested = new ProtoReader(Bytes());
        return T.Read(ref nested);
    }

    /// <summary>Leaves a field out that is not known.</summary>
    public void Skip()
    {
        switch (_tag & 7)
        {
            case 0:
                Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw new InvalidDataException("a field has a wire type that proto3 does not have.");
        }
    }

    private ReadOnlySpan<byte> Bytes()
    {
        Expect(2);
        return Take(Varint());
    }

    private readonly void Expect(ulong wireType)
    {
        if ((_tag & 7) != wireType)
            throw new InvalidDataException("a field has another type than its .proto says.");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
            throw new InvalidDataException("a field is cut off.");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < 10; i++)
        {
            var b = Take(1)[0];
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
                return value;
        }
        throw new InvalidDataException("a number is longer than 64 bits.");
    }
}

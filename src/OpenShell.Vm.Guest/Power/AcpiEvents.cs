using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Guest.Power;

/// <summary>
/// The kernel's ACPI events by generic netlink (drivers/acpi/event.c, include/uapi/linux/genetlink.h): the messages, no system calls. Numbers are in the machine's order, which is little-endian on
/// both processors. Not the input device of the same button, which needs a further module that Debian's image leaves out.
/// </summary>
internal static class AcpiEvents
{
    private const string Family = "acpi_event", Group = "acpi_mc_group", PowerButton = "button/power";

    // struct nlmsghdr: length (4), type (2), flags (2), sequence (4), port (4); struct genlmsghdr: command (1), version (1), reserved (2); struct nlattr: length (2), type (2).
    private const int TypeOffset = 4, HeaderSize = 16, AttributesOffset = 20, AttributeHeader = 4;
    private const ushort ControlFamily = 0x10, Request = 1, TypeMask = 0x3fff;
    private const byte GetFamily = 3;
    private const ushort FamilyIdAttribute = 1, FamilyNameAttribute = 2, GroupsAttribute = 7, GroupNameAttribute = 1, GroupIdAttribute = 2, EventAttribute = 1;
    private const int DeviceClassSize = 20;

    /// <summary>Asks for the numbers of the family and its group, which the kernel gives at its start.</summary>
    public static byte[] AskForFamily()
    {
        var name = Encoding.ASCII.GetBytes(Family + '\0');
        var message = new byte[AttributesOffset + AttributeHeader + Padded(name.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(TypeOffset), ControlFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(TypeOffset + 2), Request);
        message[HeaderSize] = GetFamily;
        message[HeaderSize + 1] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(AttributesOffset), (ushort)(AttributeHeader + name.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(AttributesOffset + 2), FamilyNameAttribute);
        name.CopyTo(message.AsSpan(AttributesOffset + AttributeHeader));
        return message;
    }

    /// <summary>The number of the group of events; <see langword="null"/>: this kernel has none.</summary>
    public static int? GroupIn(ReadOnlySpan<byte> answer)
    {
        if (!IsOf(answer, ControlFamily))
            return null;
        var groups = Find(answer[AttributesOffset..], GroupsAttribute);
        while (Next(ref groups, out _, out var group))
        {
            var id = Find(group, GroupIdAttribute);
            if (id.Length >= 4 && Text(Find(group, GroupNameAttribute)) == Group)
                return BinaryPrimitives.ReadInt32LittleEndian(id);
        }

        return null;
    }

    /// <summary>Whether a message says that the power button was pressed.</summary>
    public static bool IsPowerButton(ReadOnlySpan<byte> message) =>
        message.Length > AttributesOffset && Find(message[AttributesOffset..], EventAttribute) is { Length: >= DeviceClassSize } happened && Text(happened[..DeviceClassSize]) == PowerButton;

    private static bool IsOf(ReadOnlySpan<byte> message, ushort family) =>
        message.Length > AttributesOffset && BinaryPrimitives.ReadUInt16LittleEndian(message[TypeOffset..]) == family && Find(message[AttributesOffset..], FamilyIdAttribute).Length > 0;

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort wanted)
    {
        while (Next(ref attributes, out var type, out var value))
        {
            if (type == wanted)
                return value;
        }

        return default;
    }

    private static bool Next(scoped ref ReadOnlySpan<byte> attributes, out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (attributes.Length < AttributeHeader)
            return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
        if (length < AttributeHeader || length > attributes.Length)
            return false;
        type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & TypeMask);
        value = attributes[AttributeHeader..length];
        attributes = attributes[Math.Min(Padded(length), attributes.Length)..];
        return true;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes.IndexOf((byte)0) is var end and >= 0 ? bytes[..end] : bytes);

    private static int Padded(int length) => (length + 3) & ~3;
}

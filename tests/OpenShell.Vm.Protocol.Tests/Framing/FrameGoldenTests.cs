using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Protocol.Tests.Framing;

/// <summary>
/// The frozen wire: every frame of version 1, byte by byte. A change here is another protocol. A new type of frame is a new line, and a new version.
/// </summary>
public sealed class FrameGoldenTests
{
    private const uint Epoch = 0xA1B2C3D4;

    public static TheoryData<string, byte[], string> Frames { get; } = new()
    {
        // magic, epoch, type, kind, reserved, stream, length, CRC of the payload, CRC of the header, payload; made by an implementation of its own in another language.
        { "READY", FrameWriter.ToArray(Epoch, FrameType.Ready, 0, 0, []), "4f535631 d4c3b2a1 03 00 0000 00000000 00000000 00000000 0b9e5cc2" },
        { "KNOCK", FrameWriter.ToArray(0, FrameType.Knock, 0, 0, []), "4f535631 00000000 05 00 0000 00000000 00000000 00000000 2c4b10ac" },
        { "HELLO", FrameWriter.ToArray(0, FrameType.Hello, 0, 0, "{}"u8), "4f535631 00000000 01 00 0000 00000000 02000000 aad07b29 fee08f46 7b7d" },
        { "WELCOME", FrameWriter.ToArray(0, FrameType.Welcome, 0, 0, "{}"u8), "4f535631 00000000 02 00 0000 00000000 02000000 aad07b29 0d807755 7b7d" },
        { "REFUSE", FrameWriter.ToArray(0, FrameType.Refuse, 0, 0, "{}"u8), "4f535631 00000000 04 00 0000 00000000 02000000 aad07b29 eb418772 7b7d" },
        { "OPEN", FrameWriter.ToArray(Epoch, FrameType.Open, 0, 3, OpenPayload.Encode("exec", "{}"u8)), "4f535631 d4c3b2a1 10 00 0000 03000000 07000000 eec7a660 8c1498c6 04657865637b7d" },
        { "MESSAGE", FrameWriter.ToArray(Epoch, FrameType.Message, MessageKinds.Stdout, 3, "hi\n"u8), "4f535631 d4c3b2a1 11 12 0000 03000000 03000000 83b0dc1b 238ed85d 68690a" },
        { "CREDIT", FrameWriter.ToArray(Epoch, FrameType.Credit, 0, 3, [0x40, 0x00, 0x01, 0x00]), "4f535631 d4c3b2a1 12 00 0000 03000000 04000000 578c63f0 111c8665 40000100" },
        { "END", FrameWriter.ToArray(Epoch, FrameType.End, 0, 3, []), "4f535631 d4c3b2a1 13 00 0000 03000000 00000000 00000000 e4cae887" },
        { "RESET", FrameWriter.ToArray(Epoch, FrameType.Reset, 0, 3, ErrorPayload.Encode(ProtocolCode.NotFound, "no such file")), "4f535631 d4c3b2a1 14 00 0000 03000000 10000000 c798ce3e b74d2499 050000006e6f20737563682066696c65" },
        { "PING", FrameWriter.ToArray(Epoch, FrameType.Ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]), "4f535631 d4c3b2a1 15 00 0000 00000000 08000000 811f8946 4b6cf810 0102030405060708" },
        { "PONG", FrameWriter.ToArray(Epoch, FrameType.Pong, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]), "4f535631 d4c3b2a1 16 00 0000 00000000 08000000 811f8946 b80c0003 0102030405060708" },
        { "GOAWAY", FrameWriter.ToArray(Epoch, FrameType.GoAway, 0, 0, ErrorPayload.Encode(ProtocolCode.Done, "bye")), "4f535631 d4c3b2a1 17 00 0000 00000000 07000000 9b4ba8b7 883f1cad 00000000627965" },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public void Every_frame_has_its_bytes(string name, byte[] frame, string expected)
    {
        _ = name;
        Convert.ToHexStringLower(frame).ShouldBe(expected.Replace(" ", "", StringComparison.Ordinal));
    }
}

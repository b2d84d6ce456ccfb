using System.Buffers;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Framing;

public sealed class FrameReaderTests
{
    private static readonly byte[] Message = FrameWriter.ToArray(7, FrameType.Message, 0x12, 3, "some bytes"u8);
    private static readonly byte[] Knock = FrameWriter.ToArray(0, FrameType.Knock, 0, 0, []);

    [Fact]
    public void Frames_are_found_wherever_the_bytes_are_cut()
    {
        byte[] stream = [.. Message, .. Knock, .. Message];
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var feed = new Feed(new FrameReader());
            feed.Offer(stream.AsSpan(0, cut));
            feed.Offer(stream.AsSpan(cut));

            feed.Types.ShouldBe([FrameType.Message, FrameType.Knock, FrameType.Message]);
            feed.Left.ShouldBe(0);
        }
    }

    [Fact]
    public void A_payload_in_several_segments_is_one_payload()
    {
        var reader = new FrameReader();
        var buffer = Sequences.InPieces(Message, 1);

        reader.TryRead(ref buffer, out var frame).ShouldBeTrue();

        frame.Payload.ToArray().ShouldBe("some bytes"u8.ToArray());
        frame.Header.ShouldBe(new FrameHeader(7, FrameType.Message, 0x12, 3, 10, frame.Header.PayloadChecksum));
        buffer.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("X")]
    [InlineData("OSX")]
    public void A_locked_reader_refuses_a_stranger_as_soon_as_it_can_tell(string text)
    {
        var feed = new Feed(new FrameReader());

        Should.Throw<ProtocolException>(() => feed.Offer(System.Text.Encoding.ASCII.GetBytes(text))).Code.ShouldBe(ProtocolCode.LostSync);
    }

    [Fact]
    public void Every_flipped_bit_of_a_frame_is_noticed()
    {
        for (var bit = 0; bit < Message.Length * 8; bit++)
        {
            var damaged = Message.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var feed = new Feed(new FrameReader());

            Should.Throw<ProtocolException>(() => feed.Offer(damaged)).Code.ShouldBe(ProtocolCode.LostSync);
            feed.Types.ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData(FrameType.Message, ProtocolLimits.MaxPayload + 1)]
    [InlineData(FrameType.Message, int.MaxValue)]
    [InlineData(FrameType.Message, -1)]
    [InlineData(FrameType.Hello, ProtocolLimits.MaxHelloPayload + 1)]
    [InlineData(FrameType.Credit, 5)]
    [InlineData(FrameType.Ping, 9)]
    [InlineData(FrameType.End, 1)]
    [InlineData(FrameType.Reset, 4 + ProtocolLimits.MaxErrorText + 1)]
    public void A_frame_that_is_too_long_is_refused_by_its_header_alone(FrameType type, int length)
    {
        var header = new byte[ProtocolLimits.HeaderSize];
        new FrameHeader(7, type, 0, 0, length, 0).Write(header);
        var feed = new Feed(new FrameReader());

        Should.Throw<ProtocolException>(() => feed.Offer(header)).Code.ShouldBe(ProtocolCode.FrameTooLarge);
    }

    [Fact]
    public void A_header_with_reserved_bytes_is_no_header()
    {
        var frame = Knock.ToArray();
        frame[10] = 1;
        // With a right checksum over it: the rule itself is tested, not the damage.
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(24), Crc32C.Compute(frame.AsSpan(0, 24)));

        Should.Throw<ProtocolException>(() => new Feed(new FrameReader()).Offer(frame));
    }

    [Fact]
    public void The_checksum_is_the_one_of_the_standard() =>
        // The check value of CRC-32C: RFC 3720, appendix B.4 for zeros; "123456789" in every catalogue.
        (Crc32C.Compute("123456789"u8), Crc32C.Compute(new byte[32])).ShouldBe((0xE3069283u, 0x8A9136AAu));

    [Fact]
    public void A_hunting_reader_skips_what_is_left_of_a_cut_frame()
    {
        for (var cut = 1; cut < Message.Length; cut++)
        {
            var feed = new Feed(Hunter());
            feed.Offer(Message.AsSpan(cut));
            feed.Offer(Knock);

            feed.Types.ShouldBe([FrameType.Knock]);
            feed.Reader.Skipped.ShouldBe(Message.Length - cut);
        }
    }

    [Fact]
    public void A_hunting_reader_skips_frames_of_an_earlier_session_and_padding()
    {
        var feed = new Feed(Hunter());
        feed.Offer([.. Message, .. new byte[ProtocolLimits.PaddingSize], .. "OSV1OSV1OSOOSV"u8, .. Knock]);

        feed.Types.ShouldBe([FrameType.Knock]);
    }

    [Fact]
    public void A_knock_that_was_swallowed_by_a_cut_frame_is_still_found()
    {
        // The old host's frame promised more bytes than it sent; a new host's knock and padding take their place.
        var cut = FrameWriter.ToArray(7, FrameType.Message, 0x10, 3, new byte[5000]).AsSpan(0, 100).ToArray();
        var feed = new Feed(new FrameReader());
        feed.Offer(cut);
        feed.Offer(Knock);
        feed.Types.ShouldBeEmpty();

        Should.Throw<ProtocolException>(() => feed.Offer(new byte[ProtocolLimits.PaddingSize])).Code.ShouldBe(ProtocolCode.LostSync);
        feed.Reader.HuntFor(FrameType.Knock);
        feed.Offer([]);

        feed.Types.ShouldBe([FrameType.Knock]);
    }

    [Fact]
    public void A_hunting_reader_holds_on_to_no_more_than_it_needs()
    {
        var feed = new Feed(Hunter());
        for (var i = 0; i < 100; i++)
        {
            feed.Offer(new byte[10_000]);
            feed.Left.ShouldBe(0);
        }
        feed.Offer("OSV"u8);
        feed.Left.ShouldBe(3);
    }

    private static FrameReader Hunter()
    {
        var reader = new FrameReader();
        reader.HuntFor(FrameType.Knock);
        return reader;
    }
}

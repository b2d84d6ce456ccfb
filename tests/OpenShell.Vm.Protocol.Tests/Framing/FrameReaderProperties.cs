using FsCheck;
using FsCheck.Fluent;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Framing;

public sealed class FrameReaderProperties
{
    private static readonly Config Thousands = Config.QuickThrowOnFailure.WithMaxTest(3000);

    private static Gen<byte[]> Bytes { get; } = ArbMap.Default.GeneratorFor<byte[]>();

    private static Gen<byte[]> Frame { get; } =
        from type in Gen.Elements(FrameType.Message, FrameType.Open)
        from kind in ArbMap.Default.GeneratorFor<byte>()
        from stream in ArbMap.Default.GeneratorFor<uint>()
        from payload in Bytes
        select FrameWriter.ToArray(0xFEED, type, kind, stream, payload);

    private static Gen<byte[]> Knock { get; } = Gen.Constant(FrameWriter.ToArray(0, FrameType.Knock, 0, 0, []));

    [Fact]
    public void Any_frames_cut_anyhow_come_out_as_they_went_in() => Check.One(Thousands, Prop.ForAll(
        (from frames in Frame.ListOf() from cuts in Gen.Choose(1, 40).ListOf() select (frames, cuts)).ToArbitrary(),
        input =>
        {
            var feed = new Feed(new FrameReader());
            OfferInPieces(feed, [.. input.frames.SelectMany(frame => frame)], input.cuts);
            return feed.Left == 0 && feed.Payloads.Count == input.frames.Count
                && feed.Payloads.Zip(input.frames).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second.AsSpan(ProtocolLimits.HeaderSize)));
        }));

    [Fact]
    public void Any_bytes_make_a_locked_reader_find_frames_or_refuse_and_nothing_else() => Check.One(Thousands, Prop.ForAll(
        (from frames in Frame.NonEmptyListOf() from noise in Noise(frames.SelectMany(frame => frame).ToArray()) from cuts in Gen.Choose(1, 40).ListOf() select (noise, cuts)).ToArbitrary(),
        input =>
        {
            var feed = new Feed(new FrameReader());
            try
            {
                OfferInPieces(feed, input.noise, input.cuts);
            }
            catch (ProtocolException)
            {
                return true;
            }
            return feed.Left < ProtocolLimits.HeaderSize + ProtocolLimits.MaxPayload;
        }));

    [Fact]
    public void Whatever_comes_before_a_hunting_reader_finds_the_knock() => Check.One(Thousands, Prop.ForAll(
        (from garbage in Gen.OneOf(Bytes, Frame, Frame.SelectMany(Noise), Knock.SelectMany(knock => Gen.Choose(0, knock.Length - 1).Select(cut => knock[..cut]))).ListOf()
         from knock in Knock
         from cuts in Gen.Choose(1, 40).ListOf()
         select (Bytes: garbage.SelectMany(part => part).Concat(knock).ToArray(), cuts)).ToArbitrary(),
        input =>
        {
            var feed = new Feed(new FrameReader());
            feed.Reader.HuntFor(FrameType.Knock);
            OfferInPieces(feed, input.Bytes, input.cuts);
            return feed.Types.Count >= 1 && feed.Types.All(type => type == FrameType.Knock) && feed.Left == 0;
        }));

    /// <summary>A valid stream with bytes changed, dropped or repeated.</summary>
    private static Gen<byte[]> Noise(byte[] valid) =>
        from position in Gen.Choose(0, Math.Max(0, valid.Length - 1))
        from length in Gen.Choose(0, 30)
        from inserted in Bytes
        select (byte[])[.. valid.AsSpan(0, Math.Min(position, valid.Length)), .. inserted, .. valid.AsSpan(Math.Min(valid.Length, position + length))];

    private static void OfferInPieces(Feed feed, byte[] bytes, IList<int> cuts)
    {
        var offset = 0;
        foreach (var cut in cuts)
        {
            var length = Math.Min(cut, bytes.Length - offset);
            feed.Offer(bytes.AsSpan(offset, length));
            offset += length;
        }
        feed.Offer(bytes.AsSpan(offset));
    }
}

using System.Globalization;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Bundles;

/// <summary>
/// Where the entries of a bundle really are: goes from header to header and compares each with what the manifest says. The contents are not looked at. What is damaged is
/// stepped over by the manifest, so that everything behind it is found too.
/// </summary>
internal sealed class BundleLayout
{
    private readonly BundleFile _bundle;
    private readonly List<Expected> _expected;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<Fault> _faults = [];
    private readonly Dictionary<string, long> _contents = new(StringComparer.Ordinal);
    private bool _isCutOff;

    private BundleLayout(BundleFile bundle)
    {
        _bundle = bundle;
        _expected =
        [
            new Expected(BundleNames.Manifest, bundle.ManifestSize, false),
            new Expected(BundleNames.ManifestSum, SumSize, false),
            .. bundle.Manifest.Parts.Select(p => new Expected(p.Path, p.Size, p.Executable)),
        ];
    }

    /// <summary>Bytes of <see cref="BundleNames.ManifestSum"/>: 64 digits, two blanks, the name, a line feed.</summary>
    public static int SumSize => 64 + 2 + BundleNames.Manifest.Length + 1;

    /// <summary>What is wrong with headers and order.</summary>
    public IReadOnlyList<Fault> Faults => _faults;

    /// <summary>Where the contents of the entries begin that are there with their whole length.</summary>
    public IReadOnlyDictionary<string, long> Contents => _contents;

    /// <summary>Reads all headers.</summary>
    public static BundleLayout Read(BundleFile bundle)
    {
        var layout = new BundleLayout(bundle);
        layout.Walk();
        return layout;
    }

    private long Length => _bundle.Stream.Length;

    private void Walk()
    {
        var whole = _expected.Sum(e => BundleHeader.Block + BundleHeader.Padded(e.Size)) + BundleHeader.End;
        if (Length < whole)
        {
            // An entry that is missing makes it shorter too, and then the end is there.
            _isCutOff = !EndsWithZeros();
            if (_isCutOff)
                Say($"The file is cut off: it has {Number(Length)} bytes of {Number(whole)}.");
        }

        var block = new byte[BundleHeader.Block];
        var at = 0L;
        while (true)
        {
            var read = _bundle.Read(at, block);
            if (read < block.Length || block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                break;
            at = Next(at, block);
        }

        foreach (var missing in _expected.Where(e => !_seen.Contains(e.Path)))
            Say(_isCutOff ? $"{missing.Path} is missing: the file is cut off before it." : $"{missing.Path} is missing.");
        if (!_isCutOff)
            CheckEnd(at);
    }

    /// <summary>Looks at one header; returns where the next is.</summary>
    private long Next(long at, byte[] block)
    {
        var header = BundleHeader.Parse(block);
        var expected = header is null ? _expected.FirstOrDefault(e => !_seen.Contains(e.Path)) : _expected.FirstOrDefault(e => e.Path == header.Name);
        if (expected is null)
        {
            Say(header is null
                ? $"There is something behind the last part, at byte {Number(at)}, that is no entry."
                : BundleNames.IsSafe(header.Name)
                    ? $"{header.Name} is in the bundle, but {BundleNames.Manifest} does not name it."
                    : $"The path '{Printable(header.Name)}' leads out of its folder.");
            return header is null ? Length : Behind(at, header.Size);
        }

        if (!_seen.Add(expected.Path))
        {
            Say($"{expected.Path} is in the bundle twice.");
            return Behind(at, header!.Size);
        }

        if (header is null)
            Say($"The header of {expected.Path}, at byte {Number(at)}, is damaged.");
        else if (!header.IsFile)
            Say($"{expected.Path} is no regular file.");
        else if (header.Size != expected.Size)
            Say($"The header of {expected.Path} says {Number(header.Size)} bytes; {BundleNames.Manifest} says {Number(expected.Size)}.");
        else if (!block.AsSpan().SequenceEqual(BundleHeader.Bytes(expected.Path, expected.Size, expected.Executable)))
            Say($"The header of {expected.Path} is not as it was written.");

        // Of two sizes the one behind which something sensible stands is the true one.
        if (header is not null && header.Size != expected.Size && !IsSensible(Behind(at, expected.Size)) && IsSensible(Behind(at, header.Size)))
            return Behind(at, header.Size);
        var content = at + BundleHeader.Block;
        if (content + BundleHeader.Padded(expected.Size) <= Length)
            _contents[expected.Path] = content;
        else
            Say($"{expected.Path} is cut off: {Number(Math.Max(0, Length - content))} of {Number(expected.Size)} bytes are there.");
        return Behind(at, expected.Size);
    }

    private bool IsSensible(long at)
    {
        var block = new byte[BundleHeader.Block];
        return _bundle.Read(at, block) == block.Length
            && (BundleHeader.Parse(block) is not null || (at == Length - BundleHeader.End && block.AsSpan().IndexOfAnyExcept((byte)0) < 0));
    }

    private bool EndsWithZeros()
    {
        var end = new byte[BundleHeader.End];
        return Length % BundleHeader.Block == 0 && Length >= end.Length && _bundle.Read(Length - end.Length, end) == end.Length && end.AsSpan().IndexOfAnyExcept((byte)0) < 0;
    }

    // Two blocks of zeros, and nothing more.
    private void CheckEnd(long at)
    {
        if (at >= Length && _expected.Count == _seen.Count)
        {
            Say("The file is cut off: the mark of its end is missing.");
            return;
        }

        var rest = new byte[BundleHeader.End + 1];
        var read = _bundle.Read(at, rest);
        if (at < Length && (read != BundleHeader.End || rest.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0))
            Say($"The end of the bundle, at byte {Number(at)}, is not as it was written.");
    }

    // A header may say anything; past the end is the end.
    private long Behind(long at, long size) => size > Length ? Length : Math.Min(Length, at + BundleHeader.Block + BundleHeader.Padded(size));

    private void Say(string what) => _faults.Add(BundleFaults.Damaged(what));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Printable(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c)]);

    private sealed record Expected(string Path, long Size, bool Executable);
}

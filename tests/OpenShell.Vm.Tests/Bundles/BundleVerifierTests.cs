using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Tests.Bundles;

public sealed class BundleVerifierTests : IDisposable
{
    private readonly BundleFixture _bundles = new();

    private string Bad => _bundles.File("bad.tar");

    public void Dispose() => _bundles.Dispose();

    [Fact]
    public async Task A_bundle_is_as_it_was_written()
    {
        var made = await _bundles.CreateAsync();

        var report = await BundleFixture.VerifyAsync(made.Path);

        report.Faults.ShouldBeEmpty();
        report.Intact.ShouldBe(made.Manifest.Parts);
        report.Digest.ShouldBe(made.Digest);
        report.Bytes.ShouldBe(new FileInfo(made.Path).Length);
    }

    [Fact]
    public async Task Any_tar_program_reads_it_and_finds_what_its_manifest_says()
    {
        var made = await _bundles.CreateAsync();
        using var reader = new TarReader(File.OpenRead(made.Path));
        var entries = new List<(string Name, long Size, string Sha256)>();
        while (reader.GetNextEntry() is { } entry)
        {
            entry.EntryType.ShouldBe(TarEntryType.RegularFile);
            entry.ModificationTime.ShouldBe(DateTimeOffset.UnixEpoch);
            entries.Add((entry.Name, entry.Length, Convert.ToHexStringLower(entry.DataStream is null ? SHA256.HashData([]) : await SHA256.HashDataAsync(entry.DataStream, TestContext.Current.CancellationToken))));
        }

        entries[0].ShouldBe((BundleNames.Manifest, entries[0].Size, made.Digest));
        entries[1].Name.ShouldBe(BundleNames.ManifestSum);
        entries.Skip(2).ShouldBe(made.Manifest.Parts.Select(p => (p.Path, p.Size, p.Sha256)));
    }

    [Fact]
    public async Task The_same_artifacts_and_workload_make_the_same_bytes()
    {
        var first = await _bundles.CreateAsync("first.tar");
        var second = await _bundles.CreateAsync("second.tar");

        second.Digest.ShouldBe(first.Digest);
        (await File.ReadAllBytesAsync(second.Path, TestContext.Current.CancellationToken)).ShouldBe(await File.ReadAllBytesAsync(first.Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task One_bit_flipped_in_a_part_is_found_and_the_part_named_and_no_other()
    {
        var made = await _bundles.CreateAsync();
        var bytes = await File.ReadAllBytesAsync(made.Path, TestContext.Current.CancellationToken);
        var layout = Layout(made.Path);
        foreach (var part in made.Manifest.Parts.Where(p => p.Size > 0))
        {
            await WriteFlippedAsync(bytes, layout.Contents[part.Path] + (part.Size / 2), 0x10);

            var report = await BundleFixture.VerifyAsync(Bad);

            report.Faults.Count.ShouldBe(1, part.Path);
            report.Faults[0].What.ShouldContain(part.Path);
            report.Faults[0].What.ShouldContain(part.Sha256);
            report.Faults[0].Code.ShouldBe("bundle.damaged");
            report.Intact.ShouldBe(made.Manifest.Parts.Where(p => p != part));
        }
    }

    [Fact]
    public async Task A_bit_flipped_anywhere_is_found_and_its_entry_named()
    {
        var made = await _bundles.CreateAsync();
        var bytes = await File.ReadAllBytesAsync(made.Path, TestContext.Current.CancellationToken);
        var pieces = TarPiece.Of(made.Path);
        var at = 0L;
        var seen = 0;
        foreach (var piece in pieces)
        {
            var end = at + BundleHeader.Block + BundleHeader.Padded(piece.Content.Length);

            // Strides that have no divisor in common with a block: every field of a header is hit in one entry or another.
            for (var offset = at; offset < end; offset += 37, seen++)
            {
                await WriteFlippedAsync(bytes, offset, (byte)(1 << (int)(offset % 8)));
                var said = await SaidAsync();
                said.ShouldContain(piece.Name, customMessage: $"byte {offset}");
            }

            at = end;
        }

        await WriteFlippedAsync(bytes, at + 700, 1);
        (await SaidAsync()).ShouldContain("The end of the bundle");
        seen.ShouldBeGreaterThan(300);
    }

    [Fact]
    public async Task Every_damaged_part_is_named_not_only_the_first()
    {
        var made = await _bundles.CreateAsync();
        var bytes = await File.ReadAllBytesAsync(made.Path, TestContext.Current.CancellationToken);
        var layout = Layout(made.Path);
        foreach (var part in made.Manifest.Parts)
            bytes[layout.Contents[part.Path]] ^= 1;
        await File.WriteAllBytesAsync(Bad, bytes, TestContext.Current.CancellationToken);

        var report = await BundleFixture.VerifyAsync(Bad);

        report.Faults.Count.ShouldBe(made.Manifest.Parts.Count);
        for (var i = 0; i < report.Faults.Count; i++)
            report.Faults[i].What.ShouldContain(made.Manifest.Parts[i].Path);
        report.Intact.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_was_cut_off_is_told_as_such_wherever_it_ends()
    {
        var made = await _bundles.CreateAsync();
        var bytes = await File.ReadAllBytesAsync(made.Path, TestContext.Current.CancellationToken);
        for (var length = 0; length < bytes.Length; length += 251)
        {
            await File.WriteAllBytesAsync(Bad, bytes[..length], TestContext.Current.CancellationToken);
            (await SaidAsync()).ShouldMatch("cut off|empty", $"{length} bytes");
        }

        foreach (var missing in (int[])[1, BundleHeader.Block, BundleHeader.End])
        {
            await File.WriteAllBytesAsync(Bad, bytes[..^missing], TestContext.Current.CancellationToken);
            (await SaidAsync()).ShouldMatch("cut off|The end of the bundle", $"without the last {missing} bytes");
        }
    }

    [Fact]
    public async Task What_is_behind_the_cut_is_named_part_by_part()
    {
        var made = await _bundles.CreateAsync();
        var bytes = await File.ReadAllBytesAsync(made.Path, TestContext.Current.CancellationToken);
        var third = made.Manifest.Parts[2];
        await File.WriteAllBytesAsync(Bad, bytes[..(int)(Layout(made.Path).Contents[third.Path] + 10)], TestContext.Current.CancellationToken);

        var report = await BundleFixture.VerifyAsync(Bad);

        report.Faults[0].What.ShouldContain($"it has {new FileInfo(Bad).Length} bytes of {bytes.Length}");
        report.Faults[1].What.ShouldContain($"{third.Path} is cut off: 10 of {third.Size} bytes");
        report.Faults.Skip(2).Select(f => f.What).ShouldBe(made.Manifest.Parts.Skip(3).Select(p => $"{p.Path} is missing: the file is cut off before it."));
        report.Intact.ShouldBe(made.Manifest.Parts.Take(2));
    }

    [Fact]
    public async Task A_part_that_is_missing_added_twice_or_a_link_is_named_and_the_others_are_intact()
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var last = pieces[^1];

        foreach (var gone in pieces.Skip(2))
            (await SaidOfAsync(pieces.Where(p => p != gone))).ShouldBe([$"{gone.Name} is missing."]);
        (await SaidOfAsync([.. pieces, TarPiece.Make("more.txt", "more"u8.ToArray())])).ShouldBe(["more.txt is in the bundle, but bundle.json does not name it."]);
        (await SaidOfAsync([.. pieces, last])).ShouldBe([$"{last.Name} is in the bundle twice."]);
        (await SaidOfAsync([.. pieces[..^1], last with { Header = Changed(last.Header, h => h[156] = (byte)'2') }])).ShouldBe([$"{last.Name} is no regular file."]);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/x")]
    [InlineData("a/../../x")]
    [InlineData("a\\..\\x")]
    public async Task A_path_that_leads_out_of_its_folder_is_refused(string path)
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var last = pieces[^1];

        (await SaidOfAsync([.. pieces[..^1], TarPiece.Make(path, last.Content)])).ShouldBe([$"The path '{path}' leads out of its folder.", $"{last.Name} is missing."]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2000)]
    [InlineData(1_000_000_000)]
    public async Task A_header_that_lies_about_a_size_is_named_and_what_is_behind_it_is_still_compared(int size)
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var liar = pieces[3];

        var said = await SaidOfAsync([.. pieces[..3], liar with { Header = BundleHeader.Bytes(liar.Name, size, executable: false) }, .. pieces[4..]]);

        said.ShouldBe([$"The header of {liar.Name} says {size} bytes; bundle.json says {liar.Content.Length}."]);
    }

    [Fact]
    public async Task A_part_that_really_has_another_length_is_named_and_what_is_behind_it_is_still_compared()
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var longer = TarPiece.Make(pieces[3].Name, [.. pieces[3].Content, .. new byte[5000]]);

        var said = await SaidOfAsync([.. pieces[..3], longer, .. pieces[4..]]);

        said.ShouldHaveSingleItem().ShouldContain($"The header of {longer.Name} says {longer.Content.Length} bytes");
    }

    [Fact]
    public async Task A_manifest_that_was_exchanged_does_not_match_its_sum()
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var text = Encoding.UTF8.GetString(pieces[0].Content).Replace("test 1.2.3", "test 1.2.4", StringComparison.Ordinal);

        var said = await SaidOfAsync([TarPiece.Make(BundleNames.Manifest, Encoding.UTF8.GetBytes(text)), .. pieces[1..]]);

        said.ShouldHaveSingleItem().ShouldContain($"bundle.json or bundle.sha256 is damaged");
        said[0].ShouldContain(made.Digest);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("something else", "it is cut off within its first block")]
    public async Task What_is_no_bundle_is_told_so(string content, string why)
    {
        await File.WriteAllTextAsync(Bad, content, TestContext.Current.CancellationToken);
        Should.Throw<FaultException>(() => BundleFile.Open(Bad)).Faults[0].What.ShouldContain(why);
    }

    [Fact]
    public async Task Neither_another_file_nor_another_tar_is_a_bundle()
    {
        await File.WriteAllTextAsync(Bad, new string('x', 4000), TestContext.Current.CancellationToken);
        Should.Throw<FaultException>(() => BundleFile.Open(Bad)).Faults[0].What.ShouldContain("it is no tar");

        TarPiece.Write(Bad, [TarPiece.Make("readme", "text"u8.ToArray())]);
        Should.Throw<FaultException>(() => BundleFile.Open(Bad)).Faults[0].What.ShouldContain("does not begin with bundle.json");

        Should.Throw<FaultException>(() => BundleFile.Open(_bundles.File("none.tar"))).Faults[0].Code.ShouldBe("bundle.missing");
    }

    private static BundleLayout Layout(string path)
    {
        using var bundle = BundleFile.Open(path);
        return BundleLayout.Read(bundle);
    }

    private async Task WriteFlippedAsync(byte[] bytes, long at, byte bit)
    {
        bytes[at] ^= bit;
        await File.WriteAllBytesAsync(Bad, bytes, TestContext.Current.CancellationToken);
        bytes[at] ^= bit;
    }

    private async Task<IReadOnlyList<string>> SaidOfAsync(IEnumerable<TarPiece> pieces)
    {
        TarPiece.Write(Bad, pieces);
        return [.. (await BundleFixture.VerifyAsync(Bad)).Faults.Select(f => f.What)];
    }

    // A bundle may be so damaged that it cannot even be opened; that is told by the same kind of fault.
    private async Task<string> SaidAsync()
    {
        try
        {
            return string.Join('\n', (await BundleFixture.VerifyAsync(Bad)).Faults.Select(f => f.What));
        }
        catch (FaultException e)
        {
            return e.Faults[0].What;
        }
    }

    private static byte[] Changed(byte[] header, Action<byte[]> change)
    {
        var copy = (byte[])header.Clone();
        change(copy);

        // The sum of all bytes, with blanks in its own place.
        copy.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(copy.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(copy, 148);
        return copy;
    }
}

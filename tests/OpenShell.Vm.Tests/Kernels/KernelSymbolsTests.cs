using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class KernelSymbolsTests
{
    private static readonly string[] Few = ["T_text", "tveth_xmit", "Tnft_register_chain_type", "Wnf_tables_init"];

    [Fact]
    public void Names_come_back_without_the_letter_of_their_type() =>
        KernelSymbols.Read(KallsymsImage.Of(Few)).Names.ShouldBe(["_text", "veth_xmit", "nft_register_chain_type", "nf_tables_init"], ignoreOrder: true);

    [Fact]
    public void A_name_whose_length_takes_two_bytes_comes_back_with_those_behind_it()
    {
        var longest = new string('x', 500);

        KernelSymbols.Read(KallsymsImage.Of(["Tfirst", "T" + longest, "tlast"])).Names.ShouldBe(["first", longest, "last"], ignoreOrder: true);
    }

    [Theory]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(5000)]
    public void As_many_come_back_as_there_are(int count)
    {
        var names = Enumerable.Range(0, count).Select(i => $"name_{i}").ToList();

        KernelSymbols.Read(KallsymsImage.Of([.. names.Select(n => "t" + n)])).Names.ShouldBe(names, ignoreOrder: true);
    }

    [Fact]
    public void A_table_between_the_markers_and_the_strings_as_6_1_has_it_is_passed_over() =>
        KernelSymbols.Read(KallsymsImage.Of(Few, between: 1001)).Names.ShouldContain("veth_xmit");

    [Fact]
    public void A_name_that_several_functions_share_is_one() =>
        KernelSymbols.Read(KallsymsImage.Of(["tprobe", "tprobe"])).Names.ShouldBe(["probe"]);

    [Fact]
    public void What_is_no_kernel_is_refused_with_what_it_lacks()
    {
        var noise = new byte[1 << 20];
        new Random(1).NextBytes(noise);
        byte[][] images = [[], new byte[7], new byte[100_000], noise, File.ReadAllBytes("/bin/sh"), [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i / 2))]];

        foreach (var image in images)
            Should.Throw<InvalidDataException>(() => KernelSymbols.Read(image)).Message.ShouldContain("CONFIG_KALLSYMS");
    }

    [Fact]
    public void Strings_without_the_names_that_belong_to_them_are_no_table()
    {
        var image = KallsymsImage.Of(Few);
        image.AsSpan(4096, 8).Clear(); // their number

        Should.Throw<InvalidDataException>(() => KernelSymbols.Read(image)).Message.ShouldContain("no names that fit");
    }

    [Fact]
    public void An_image_that_is_cut_off_within_the_tables_is_refused()
    {
        var image = KallsymsImage.Of(Few);

        for (var length = 0; length <= image.Length - 4096 - 1; length += 13)
            Should.Throw<InvalidDataException>(() => KernelSymbols.Read(image.AsSpan(0, length)));
    }

    [Fact]
    public void A_broken_table_is_refused_or_gives_no_more_names_than_it_had()
    {
        var random = new Random(2);
        var refused = 0;
        for (var i = 0; i < 500; i++)
        {
            var image = KallsymsImage.Of(Few);
            image[4096 + random.Next(image.Length - 8192)] ^= (byte)random.Next(1, 256);
            try
            {
                KernelSymbols.Read(image).Names.Count.ShouldBeLessThanOrEqualTo(Few.Length);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Our_kernel_names_its_functions_in_the_image_and_in_the_file()
    {
        var file = File.ReadAllBytes(CachedKernels.Custom(CustomKernelRecipe.Image));

        var names = KernelSymbols.Read(FlatKernel.OfVmlinux(file).Image.Span).Names;

        ShouldBeAKernels(names);
        KernelSymbols.Read(file).Names.ShouldBe(names, ignoreOrder: true);
        KernelSymbols.Read(File.ReadAllBytes(CachedKernels.Custom(CustomKernelRecipe.Firmware))).Names.ShouldBe(names, ignoreOrder: true);
    }

    [Fact]
    public void Debians_kernel_whose_tables_are_in_the_order_of_6_1_names_its_functions() =>
        ShouldBeAKernels(KernelSymbols.Read(File.ReadAllBytes(CachedKernels.Debian(KernelRecipe.Image))).Names);

    [Fact]
    public async Task Debians_libkrunfw_names_its_kernels_functions_in_the_image_and_in_the_file()
    {
        var library = await CachedKernels.StockAsync();

        var names = KernelSymbols.Read(KrunFirmware.Read(library).Kernel.Image.Span).Names;

        ShouldBeAKernels(names);
        KernelSymbols.Read(await File.ReadAllBytesAsync(library, TestContext.Current.CancellationToken)).Names.ShouldBe(names, ignoreOrder: true);
    }

    private static void ShouldBeAKernels(IReadOnlySet<string> names)
    {
        names.Count.ShouldBeGreaterThan(20_000);
        names.IsSupersetOf(["_text", "start_kernel", "panic", "schedule", "vfs_read", "tcp_v4_rcv"]).ShouldBeTrue();
        names.ShouldAllBe(n => n.Length > 0 && n.All(c => c > ' ' && c < 0x7F));
    }
}

using System.Text.RegularExpressions;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Tests.Images;

namespace OpenShell.Vm.Tests.Kernels;

public sealed partial class KernelMatrixTests
{
    private static readonly KernelCapability Two = new() { Name = "two", Purpose = "tests", Options = ["CONFIG_IP_ADVANCED_ROUTER", "CONFIG_VETH"], Required = true, Test = "true" };

    [Fact]
    public void By_symbols_a_cell_says_what_is_there_missing_a_module_perhaps_or_not_to_be_known()
    {
        Cell("Tfib4_rule_default", "tveth_xmit").ShouldBe("yes");
        Cell("Tfib4_rule_default").ShouldBe("no: VETH");
        Cell("Tfib4_rule_default", "Tfind_module").ShouldBe("not built in: VETH");
        Cell("tveth_xmit").ShouldBe("?: IP_ADVANCED_ROUTER");

        static string Cell(params string[] symbols) => KernelMatrix.Cell(Two, new WitnessedOptions(KernelSymbols.Read(KallsymsImage.Of(symbols))));
    }

    [Fact]
    public void A_file_without_a_configuration_is_judged_by_its_symbols_and_its_column_says_so()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("kernel"), [.. "Linux version 6.12.91 (somebody)\0\0\0\0\0\0\0\0"u8, .. KallsymsImage.Of(["tveth_xmit"])]);
        folder.Write("config", "CONFIG_VETH=m\n");

        var kernel = KernelColumn.OfFile("mine", folder.File("kernel"));
        var configuration = KernelColumn.OfFile("other", folder.File("config"));

        (kernel.Title, kernel.Options.StateOf("CONFIG_VETH")).ShouldBe(("mine (6.12.91, by symbols)", KernelOptionState.BuiltIn));
        (configuration.Title, configuration.Options.StateOf("CONFIG_VETH")).ShouldBe(("other", KernelOptionState.Module));
        KernelMatrix.Markdown([kernel, configuration]).ShouldStartWith("| capability | for | required | mine (6.12.91, by symbols) | other |\n| --- | --- | --- | --- | --- |\n");
    }

    [Fact]
    public void A_file_that_tells_nothing_is_refused() =>
        Should.Throw<InvalidDataException>(() => KernelColumn.OfFile("mine", "/bin/sh"));

    [Fact]
    public void A_kernel_that_holds_its_configuration_is_judged_by_that() =>
        KernelColumn.OfFile("ours", CachedKernels.Custom(CustomKernelRecipe.Firmware)).Title.ShouldBe("ours");

    [Fact]
    public async Task The_documentation_has_the_table_as_it_is()
    {
        // None is built for this test.
        CachedKernels.Debian(KernelRecipe.Configuration);
        CachedKernels.Custom(CustomKernelRecipe.Configuration);
        await CachedKernels.StockAsync();
        var images = new ImageBuilder(HostDirectories.FromEnvironment());
        var table = KernelMatrix.Markdown([.. await images.KernelsAsync(null, TestContext.Current.CancellationToken), await images.StockKernelAsync(null, TestContext.Current.CancellationToken)]);

        var documentation = await File.ReadAllTextAsync(SourceTree.Locate().PathOf("docs/kernel.md"), TestContext.Current.CancellationToken);
        var written = documentation.Split('\n').SkipWhile(l => !l.StartsWith("| capability |", StringComparison.Ordinal)).TakeWhile(l => l.StartsWith('|'));

        // Kernels are updated more often than the documentation.
        Versionless(written).ShouldBe(Versionless(table.TrimEnd('\n').Split('\n')), "write what 'gateway kernel compare' prints into docs/kernel.md");

        static IEnumerable<string> Versionless(IEnumerable<string> rows) => rows.Select((row, i) => i == 0 ? Version().Replace(row, "VERSION") : row);
    }

    [GeneratedRegex(@"\d+\.[\w.+~-]*")]
    private static partial Regex Version();
}

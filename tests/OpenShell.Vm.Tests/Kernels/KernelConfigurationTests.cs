using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class KernelConfigurationTests
{
    private static readonly SourceTree Source = SourceTree.Locate();

    [Fact]
    public void Values_are_read_and_the_later_of_two_lines_counts()
    {
        var configuration = KernelConfiguration.Parse("# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"text\"\nCONFIG_A=m\n");

        configuration.Of("CONFIG_A").ShouldBe("m");
        configuration.Of("CONFIG_B").ShouldBe("n");
        configuration.Of("CONFIG_C").ShouldBe("\"text\"");
        configuration.Of("CONFIG_D").ShouldBe("n");
    }

    [Fact]
    public void What_the_configurator_dropped_is_named()
    {
        var fragment = KernelConfiguration.Parse("CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n# CONFIG_D is not set\n");

        KernelConfiguration.Parse("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n").Lost(fragment).ShouldBe(["CONFIG_B=y is m", "CONFIG_C=n is y"]);
    }

    [Fact]
    public void Modules_are_left_out() =>
        KernelConfiguration.WithoutModules("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=\"m\"").ShouldBe("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"m\"");

    [Theory]
    [InlineData("amd64")]
    [InlineData("arm64")]
    public void No_option_of_the_fragments_is_said_twice(string architecture)
    {
        var lines = ((string[])["gateway.config", $"gateway-{architecture}.config"])
            .SelectMany(f => File.ReadAllLines(Source.PathOf("images/kernel/" + f)))
            .Where(l => l.StartsWith("CONFIG_", StringComparison.Ordinal) || l.EndsWith(" is not set", StringComparison.Ordinal))
            .Select(l => l.TrimStart('#', ' ').Split('=', ' ')[0]);

        lines.ShouldBeUnique();
    }

    [Fact]
    public void Every_capability_of_a_cluster_is_asked_for_in_the_fragment()
    {
        var fragment = KernelConfiguration.Parse(File.ReadAllText(Source.PathOf("images/kernel/gateway.config")));
        // The defaults of the tree, for every processor.
        string[] given = ["CONFIG_IPC_NS", "CONFIG_UTS_NS", "CONFIG_INOTIFY_USER", "CONFIG_NF_NAT", "CONFIG_NFT_REJECT_INET"];

        KernelCapabilities.All.Where(c => c.Required).SelectMany(c => c.Options).Except(given).Where(o => fragment.Of(o) != "y").ShouldBeEmpty();
    }

    [Fact]
    public void Our_kernel_has_every_capability_and_every_line_of_the_fragments()
    {
        var built = KernelConfiguration.Parse(File.ReadAllText(CachedKernels.Custom(CustomKernelRecipe.Configuration)));

        foreach (var fragment in (string[])["gateway.config", "gateway-amd64.config"])
            built.Lost(KernelConfiguration.Parse(File.ReadAllText(Source.PathOf("images/kernel/" + fragment)))).ShouldBeEmpty();
        KernelCapabilities.All.Where(c => KernelMatrix.Cell(c, built) != "yes").Select(c => c.Name).ShouldBeEmpty();
    }
}

using OpenShell.Vm.Guest.Capabilities;

namespace OpenShell.Vm.Guest.Tests.Capabilities;

public sealed class CapabilityCheckTests
{
    private static readonly KernelFacts Complete = new()
    {
        FileSystems = Subjects(Evidence.FileSystem),
        Controllers = Subjects(Evidence.Controller),
        Modules = Subjects(Evidence.Module),
        Exists = _ => true,
    };

    [Fact]
    public void A_kernel_that_shows_everything_lacks_nothing() => CapabilityCheck.Missing(ClusterCapabilities.All, Complete).ShouldBeEmpty();

    [Fact]
    public void Every_single_thing_that_is_taken_away_is_found_missing()
    {
        foreach (var capability in ClusterCapabilities.All)
            CapabilityCheck.Missing(ClusterCapabilities.All, Without(capability)).ShouldBe([capability]);
    }

    [Fact]
    public void A_kernel_without_modules_shows_in_its_configuration_what_it_has()
    {
        var facts = Complete with { Modules = new HashSet<string>(), BuiltIn = new KernelConfig("CONFIG_BRIDGE=y\nCONFIG_VETH=m\n# CONFIG_NF_NAT is not set\n").BuiltIn };

        CapabilityCheck.Missing([.. ClusterCapabilities.All.Where(c => c.Option is "CONFIG_BRIDGE" or "CONFIG_VETH" or "CONFIG_NF_NAT")], facts)
            .Select(c => c.Option).ShouldBe(["CONFIG_VETH", "CONFIG_NF_NAT"]);
    }

    [Fact]
    public void Every_option_is_named_as_the_kernel_names_it() =>
        ClusterCapabilities.All.ShouldAllBe(c => c.Option.StartsWith("CONFIG_", StringComparison.Ordinal) && !c.Option.Any(char.IsAsciiLetterLower));

    [Theory]
    [InlineData("CONFIG_VETH", "built as a module, which is not loaded")]
    [InlineData("CONFIG_BRIDGE", "not set")]
    [InlineData("CONFIG_NF", "not set")]
    [InlineData("CONFIG_NF_TABLES", "set to y, but it does not show")]
    public void The_configuration_explains_why(string option, string why) =>
        new KernelConfig("# CONFIG_BRIDGE is not set\nCONFIG_VETH=m\nCONFIG_NF_TABLES=y\n").Explain(option).ShouldBe(why);

    private static KernelFacts Without(Capability capability) => capability.Evidence switch
    {
        Evidence.FileSystem => Complete with { FileSystems = Complete.FileSystems.Where(s => s != capability.Subject).ToHashSet() },
        Evidence.Controller => Complete with { Controllers = Complete.Controllers.Where(s => s != capability.Subject).ToHashSet() },
        Evidence.Module => Complete with { Modules = Complete.Modules.Where(s => s != capability.Subject).ToHashSet() },
        _ => Complete with { Exists = path => path != capability.Subject },
    };

    private static HashSet<string> Subjects(Evidence evidence) => ClusterCapabilities.All.Where(c => c.Evidence == evidence).Select(c => c.Subject).ToHashSet();
}

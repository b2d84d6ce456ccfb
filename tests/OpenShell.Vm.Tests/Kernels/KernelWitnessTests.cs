using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class KernelWitnessTests
{
    // These have no code of their own file: what they add is compiled into the code of another option, which may be a module.
    private static readonly Dictionary<string, string> Parts = new()
    {
        ["CONFIG_EXT4_FS_POSIX_ACL"] = "CONFIG_EXT4_FS",
        ["CONFIG_SQUASHFS_LZ4"] = "CONFIG_SQUASHFS",
        ["CONFIG_BRIDGE_VLAN_FILTERING"] = "CONFIG_BRIDGE",
        ["CONFIG_NF_TABLES_IPV4"] = "CONFIG_NF_TABLES",
        ["CONFIG_NF_TABLES_IPV6"] = "CONFIG_NF_TABLES",
        ["CONFIG_NF_TABLES_INET"] = "CONFIG_NF_TABLES",
        ["CONFIG_NF_TABLES_NETDEV"] = "CONFIG_NF_TABLES",
    };

    // Of all options here, those that are set in the configuration that libkrunfw's authors publish with 5.5.0, which is of Linux 6.12.91:
    // https://github.com/libkrun/libkrunfw/blob/v5.5.0/config-libkrunfw_x86_64
    private const string StockRelease = "6.12.91";

    private const string SetInStock = """
        NET_NS PID_NS IPC_NS UTS_NS USER_NS CGROUP_SCHED CFS_BANDWIDTH CPUSETS MEMCG CGROUP_PIDS BLK_CGROUP CGROUP_HUGETLB OVERLAY_FS EXT4_FS
        BLK_DEV_LOOP POSIX_MQUEUE SECCOMP_FILTER BPF_SYSCALL CGROUP_BPF KEYS INOTIFY_USER HUGETLBFS FUSE_FS VIRTIO_FS BINFMT_MISC VSOCKETS
        VIRTIO_VSOCKETS VETH BRIDGE BRIDGE_NETFILTER IPV6 DUMMY TUN NF_TABLES NF_TABLES_IPV4 NF_TABLES_IPV6 NF_NAT NFT_NAT NFT_CT NF_CONNTRACK
        NFT_MASQ NFT_FIB_INET NFT_FIB_IPV4 NFT_FIB_IPV6 NFT_REJECT NFT_REJECT_INET NF_TABLES_INET NFT_LIMIT NFT_LOG NFT_REDIR NF_TABLES_BRIDGE
        NF_CT_NETLINK
        """;

    private static readonly IReadOnlyList<string> All = [.. KernelCapabilities.All.SelectMany(c => c.Options).Distinct()];

    [Fact]
    public void Every_option_of_every_capability_has_an_entry_and_no_other_has() =>
        KernelWitnesses.Options.ShouldBe(All, ignoreOrder: true);

    [Fact]
    public void Only_where_it_is_said_does_no_function_tell_that_an_option_is_missing()
    {
        All.ShouldAllBe(o => KernelWitnesses.Of(o)!.Proves != null);
        All.Where(o => KernelWitnesses.Of(o)!.Needed is null).ShouldBe(["CONFIG_IP_ADVANCED_ROUTER"]);
    }

    [Fact]
    public void Two_options_have_the_same_witness_only_where_one_implies_the_other() =>
        All.GroupBy(o => KernelWitnesses.Of(o)!.Proves).Where(g => g.Count() > 1).SelectMany(g => g).ShouldBe(["CONFIG_IP_ADVANCED_ROUTER", "CONFIG_IP_MULTIPLE_TABLES"], ignoreOrder: true);

    [Fact]
    public void In_our_kernel_every_option_is_what_its_configuration_says()
    {
        var configuration = KernelConfiguration.Parse(File.ReadAllText(CachedKernels.Custom(CustomKernelRecipe.Configuration)));
        var witnessed = new WitnessedOptions(KernelSymbols.Read(File.ReadAllBytes(CachedKernels.Custom(CustomKernelRecipe.Image))));

        All.Where(o => witnessed.StateOf(o) != configuration.StateOf(o)).ShouldBeEmpty();
        All.ShouldContain(o => configuration.StateOf(o) == KernelOptionState.BuiltIn);
    }

    [Fact]
    public void In_Debians_kernel_what_is_a_module_or_not_set_has_no_witness()
    {
        var configuration = KernelConfiguration.Parse(File.ReadAllText(CachedKernels.Debian(KernelRecipe.Configuration)));
        var witnessed = new WitnessedOptions(KernelSymbols.Read(File.ReadAllBytes(CachedKernels.Debian(KernelRecipe.Image))));

        All.Where(o => witnessed.StateOf(o) != Expected(o)).ShouldBeEmpty();
        All.Count(o => Expected(o) == KernelOptionState.NotBuiltIn).ShouldBeGreaterThan(50);
        All.ShouldContain(o => configuration.StateOf(o) == KernelOptionState.Missing);

        KernelOptionState Expected(string option) =>
            configuration.StateOf(option) == KernelOptionState.BuiltIn && configuration.StateOf(Parts.GetValueOrDefault(option, option)) == KernelOptionState.BuiltIn
                ? KernelOptionState.BuiltIn
                : KernelOptionState.NotBuiltIn;
    }

    [Fact]
    public async Task In_Debians_libkrunfw_every_option_is_what_its_authors_publish()
    {
        var library = await File.ReadAllBytesAsync(await CachedKernels.StockAsync(), TestContext.Current.CancellationToken);
        if (EmbeddedConfiguration.Release(library) is not StockRelease and var release)
            Assert.Skip($"what is set in Linux {release} of Debian's libkrunfw is not known here, only of {StockRelease}");
        var set = SetInStock.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(o => "CONFIG_" + o).ToHashSet();
        var witnessed = new WitnessedOptions(KernelSymbols.Read(library));

        All.Where(o => witnessed.StateOf(o) == KernelOptionState.BuiltIn).ShouldBe(set, ignoreOrder: true);
        All.Where(o => witnessed.StateOf(o) != KernelOptionState.Missing).Except(set).ShouldBe(["CONFIG_IP_ADVANCED_ROUTER"]);
    }

    [Fact]
    public void What_no_function_tells_stays_open()
    {
        var none = new WitnessedOptions(KernelSymbols.Read(KallsymsImage.Of(["T_text"])));
        var tables = new WitnessedOptions(KernelSymbols.Read(KallsymsImage.Of(["Txt_register_target", "Tfib4_rule_default"])));

        none.StateOf("CONFIG_VETH").ShouldBe(KernelOptionState.Missing);
        none.StateOf("CONFIG_IP_NF_IPTABLES").ShouldBe(KernelOptionState.Missing);
        none.StateOf("CONFIG_IP_ADVANCED_ROUTER").ShouldBe(KernelOptionState.Unknown);
        none.StateOf("CONFIG_OF_ANOTHER_KIND").ShouldBe(KernelOptionState.Unknown);
        tables.StateOf("CONFIG_IP_NF_IPTABLES").ShouldBe(KernelOptionState.Unknown);
        tables.StateOf("CONFIG_IP_ADVANCED_ROUTER").ShouldBe(KernelOptionState.BuiltIn);
    }

    [Fact]
    public void In_a_kernel_that_loads_modules_what_is_absent_may_be_one() =>
        new WitnessedOptions(KernelSymbols.Read(KallsymsImage.Of(["Tfind_module"]))).StateOf("CONFIG_VETH").ShouldBe(KernelOptionState.NotBuiltIn);
}

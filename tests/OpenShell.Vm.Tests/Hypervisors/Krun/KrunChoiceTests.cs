using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

/// <summary>When libkrun is chosen or refused, and what is planned for it. Pure.</summary>
public sealed class KrunChoiceTests
{
    private static readonly HostFacts Linux = KrunMachine.Host("/usr/lib64/libkrun.so.1", ["/usr/lib64/libkrunfw.so.5"]);
    private static readonly HostFacts Mac = KrunMachine.Host("/opt/homebrew/lib/libkrun.1.dylib", ["/opt/homebrew/lib/libkrunfw.5.dylib"], isMac: true) with
    {
        Accelerators = [new AcceleratorFact { Accelerator = Accelerator.Hvf, Usable = true, Reason = "kern.hv_support is 1" }],
    };

    private static readonly InstanceConfig Auto = KrunMachine.Program with { Hypervisor = null };

    [Fact]
    public void QEMU_is_preferred_on_Linux_and_libkrun_on_macOS_where_it_can_run()
    {
        HypervisorChoice.Best(Auto, Linux).ShouldBe("qemu");
        HypervisorChoice.Best(Auto, Linux with { Qemu = null }).ShouldBe("libkrun");
        HypervisorChoice.Best(Auto, Linux with { Qemu = null, Accelerators = Made.Host().Accelerators }).ShouldBe("qemu");
        HypervisorChoice.Best(Auto, Mac).ShouldBe("libkrun");
        HypervisorChoice.Best(Auto, Mac with { Libkrun = null }).ShouldBe("qemu");
    }

    [Fact]
    public void What_only_libkrun_has_chooses_it()
    {
        HypervisorChoice.Best(Auto with { RootDirectory = "/srv/root" }, Linux).ShouldBe("libkrun");
        HypervisorChoice.Best(Auto with { KrunLogLevel = 4 }, Linux).ShouldBe("libkrun");
        HypervisorChoice.Best(Auto with { Network = "tsi" }, Linux).ShouldBe("libkrun");
    }

    [Fact]
    public void All_that_a_host_lacks_is_told_at_once()
    {
        var faults = new KrunHypervisor().Check(KrunMachine.Program with { RootDirectory = "/srv/root" }, Made.Host());
        faults.Select(fault => fault.Code).ShouldBe(["krun.not-found", "krun.no-firmware", "krun.no-hardware", "krun.no-program"]);
        faults.ShouldAllBe(fault => fault.Remedy.Length > 0);
        new KrunHypervisor().Check(KrunMachine.Cluster, Linux).ShouldBeEmpty();
    }

    [Fact]
    public void A_folder_that_was_named_and_has_no_libkrun_is_named_in_the_message() =>
        new KrunHypervisor().Check(KrunMachine.Cluster with { RuntimeDirectory = "/opt/mine" }, Linux with { Libkrun = null })[0].What.ShouldBe("There is no libkrun in /opt/mine.");

    [Fact]
    public void Its_process_inherits_nothing_that_is_not_named()
    {
        var linux = VmmEnvironment.Current(["/a/libkrunfw.so.5"], isMac: false);
        linux["DOTNET_TieredCompilation"].ShouldBe("0");
        linux.Keys.ShouldNotContain("PATH");
        linux.Keys.ShouldNotContain("DYLD_FALLBACK_LIBRARY_PATH");
        VmmEnvironment.Current(["/a/libkrunfw.5.dylib", "/a/libkrunfw.4.dylib", "/b/libkrunfw.4.dylib"], isMac: true)["DYLD_FALLBACK_LIBRARY_PATH"].ShouldStartWith("/a:/b");
    }

    [Fact]
    public void Emulation_is_nothing_to_be_warned_of_under_libkrun() => AcceleratorChoice.Notes("libkrun", Linux).ShouldBeEmpty();

    [Fact]
    public void The_plan_of_a_cluster() => Golden("krun-plan-cluster.json", KrunMachine.Cluster, Linux);

    [Fact]
    public void The_plan_of_a_cluster_on_macOS() => Golden("krun-plan-cluster-macos.json", KrunMachine.Cluster, Mac);

    [Fact]
    public void The_plan_of_a_program_in_a_folder() =>
        Golden("krun-plan-rootfs-tsi.json", KrunMachine.Program with { RootDirectory = "/srv/root", Network = "tsi", Ports = [new PortForward { HostPort = 8080, GuestPort = 80 }] }, Linux);

    [Fact]
    public void The_process_is_the_program_itself_with_the_plan()
    {
        var spec = new KrunHypervisor().Describe(Plan(KrunMachine.Cluster, Linux), Linux);
        spec.Program.ShouldBe(Recorder.Gateway);
        spec.Arguments.ShouldBe(["__vmm", "/data/instances/default/plan.json"]);
        spec.LogFile.ShouldBe("/data/instances/default/libkrun.log");
    }

    [Fact]
    public void On_macOS_gvproxy_takes_datagrams() =>
        GvproxyCommandLine.Describe("/usr/bin/gvproxy", Made.Files(), datagrams: true).Arguments.Take(2).ShouldBe(["-listen-vfkit", "unixgram:///run/user/1000/openshell-vm/default-0d759b33/net/guest"]);

    [Fact]
    public void The_kernels_arguments_leave_room_for_those_that_libkrun_adds()
    {
        // x86 has 11 places for devices at most, each told in some 45 bytes.
        string.Join(' ', Plan(KrunMachine.Cluster, Linux).KernelArguments).Length.ShouldBeLessThan(2048 - (11 * 45));
    }

    [Fact]
    public void The_kernels_are_told_apart_by_more_than_their_console()
    {
        var arguments = Plan(KrunMachine.Cluster, Linux).KernelArguments;
        arguments.ShouldContain("console=hvc0");
        arguments.ShouldContain("reboot=k");
        arguments.ShouldContain("openshell.disks=openshell-root,openshell-state");
        arguments.ShouldNotContain("console=ttyS0");
    }

    [Fact]
    public void A_plan_survives_the_file_between_two_processes()
    {
        var plan = Plan(KrunMachine.Program with { RootDirectory = "/srv/root", Network = "tsi" }, Linux);
        var copy = JsonSerializer.Deserialize(JsonSerializer.Serialize(plan, InstanceJson.Default.BootPlan), InstanceJson.Default.BootPlan)!;
        JsonSerializer.Serialize(copy, InstanceJson.Default.BootPlan).ShouldBe(JsonSerializer.Serialize(plan, InstanceJson.Default.BootPlan));
        copy.Krun!.TsiPorts.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("krun_set_kernel", "1.11")]
    [InlineData("krun_add_vsock_port2", "1.10")]
    [InlineData("krun_add_net_unixstream krun_set_passt_fd", "NET=1")]
    [InlineData("krun_add_disk3 krun_add_disk2", "BLK=1")]
    public void A_function_without_substitute_is_named_with_what_it_takes(string missing, string needs)
    {
        var fault = Should.Throw<FaultException>(() => KrunCalls.For(Plan(KrunMachine.Cluster, Linux), KrunKernelFormat.Elf, name => !missing.Split(' ').Contains(name))).Faults[0];
        fault.Code.ShouldBe("krun.call-missing");
        fault.What.ShouldContain(missing.Split(' ')[^1]);
        fault.What.ShouldContain(needs);
    }

    private static BootPlan Plan(InstanceConfig config, HostFacts host) =>
        BootPlanner.Plan(InstanceDefaults.Fill(config, host), host, config.RootDirectory is null ? Made.Images : null, Made.Files());

    private static void Golden(string name, InstanceConfig config, HostFacts host) =>
        GoldenFile.ShouldMatch(name, JsonSerializer.Serialize(Plan(config, host), InstanceJson.Default.BootPlan) + "\n");
}

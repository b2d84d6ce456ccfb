using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Planning;

public sealed class BootPlannerTests
{
    private static readonly InstanceConfig Cluster = new() { Name = "default" };
    private static readonly InstanceConfig Program = new() { Name = "default", Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" } };

    [Fact]
    public void A_cluster_under_emulation() => Golden("plan-cluster-tcg", Cluster, kvm: false);

    [Fact]
    public void A_cluster_with_KVM() => Golden("plan-cluster-kvm", Cluster with { Vcpus = 2, MemoryMib = 3000 }, kvm: true);

    [Theory]
    [InlineData(MemorySharing.Shared, "memory-backend-file,id=memory,size=4096M,mem-path=/golden/me,,mory.img,share=on")]
    [InlineData(MemorySharing.Private, "memory-backend-file,id=memory,size=4096M,mem-path=/golden/me,,mory.img,share=off,readonly=on,rom=off")]
    [InlineData(MemorySharing.Anonymous, "memory-backend-ram,id=memory,size=4096M")]
    public void Memory_has_the_same_name_wherever_it_lies(MemorySharing sharing, string wanted)
    {
        var host = Made.Host();
        var plan = Plan(Cluster, host) with { Memory = new GuestMemory(sharing, sharing == MemorySharing.Anonymous ? null : "/golden/me,mory.img"), Resume = new SavedMachine("/golden/devices", HoldsMemory: false) };
        var arguments = new QemuHypervisor().Describe(plan, host).Arguments;
        arguments[arguments.ToList().IndexOf("-object") + 1].ShouldBe(wanted);
        arguments.ShouldContain(argument => argument.EndsWith(",memory-backend=memory", StringComparison.Ordinal));
        arguments.TakeLast(2).ShouldBe(["-incoming", "defer"]);
        new QemuHypervisor().Describe(Plan(Cluster, host), host).Arguments.ShouldNotContain("-incoming");
    }

    [Fact]
    public void A_program_without_a_network() => Golden("plan-exec-tcg", Program with { Network = "none" }, kvm: false);

    [Fact]
    public void A_program_on_another_processor_is_emulated() => Golden("plan-exec-arm64-on-x64", Program with { Network = "none" }, Made.Foreign());

    [Fact]
    public void A_cluster_on_an_AArch64_host_with_KVM() => Golden("plan-cluster-arm64-kvm", Cluster, Made.Arm(Accelerator.Kvm));

    [Fact]
    public void A_cluster_on_an_AArch64_Mac() => Golden("plan-cluster-arm64-hvf", Cluster with { Hypervisor = "qemu" }, Made.Arm(Accelerator.Hvf));

    [Fact]
    public void Where_the_other_processors_QEMU_is_missing_its_name_and_its_package_are_told()
    {
        var host = Made.Foreign() with { Qemu = null };
        var fault = Should.Throw<FaultException>(() => new QemuHypervisor().Describe(Plan(Program, host), host)).Faults[0];
        fault.What.ShouldContain("qemu-system-aarch64");
        fault.Remedy.ShouldContain("--with-tests");
    }

    [Theory]
    [InlineData("mips", null, "instance.arch-unknown")]
    [InlineData("other", "libkrun", "instance.arch-needs-qemu")]
    public void What_no_hypervisor_can_be_is_refused(string architecture, string? hypervisor, string code)
    {
        var other = OpenShell.Vm.Images.Architectures.All.First(a => a != OpenShell.Vm.Images.Architectures.Host);
        var config = Program with { Architecture = architecture == "other" ? other : architecture, Hypervisor = hypervisor };
        InstanceValidator.Validate(config, 8, 16384).ShouldHaveSingleItem().Code.ShouldBe(code);
    }

    [Fact]
    public void A_kernel_without_an_initramfs_is_told_its_root()
    {
        var host = Made.Host();
        var plan = BootPlanner.Plan(InstanceDefaults.Fill(Program, host), host, Made.Images with { Initramfs = null }, Made.Files());

        plan.KernelArguments.ShouldBe([.. Plan(Program, host).KernelArguments, "root=/dev/vda", "ro", "rootfstype=squashfs", "init=/sbin/openshell-init"], ignoreOrder: true);
        plan.Disks[0].Serial.ShouldBe("openshell-root");
        new QemuHypervisor().Describe(plan, host).Arguments.ShouldNotContain("-initrd");
    }

    [Fact]
    public void The_network() => GoldenFile.ShouldMatch("gvproxy.txt", Text(GvproxyCommandLine.Describe("/usr/bin/gvproxy", Made.Files())));

    [Fact]
    public void A_comma_in_a_path_is_doubled_for_QEMU()
    {
        var plan = Plan(Cluster, Made.Host()) with { ConsoleLog = "/data/a,b/console.log" };
        new QemuHypervisor().Describe(plan, Made.Host()).Arguments.ShouldContain("file,id=console,path=/data/a,,b/console.log,append=on");
    }

    [Fact]
    public void The_kernel_command_line_fits_what_the_smallest_hypervisor_allows() =>
        string.Join(' ', Plan(Cluster, Made.Host()).KernelArguments).Length.ShouldBeLessThan(2048);

    [Theory]
    [InlineData(null, "host.no-qemu")]
    [InlineData("6.2", "host.qemu-too-old")]
    public void A_host_without_a_usable_QEMU_is_told_what_to_install(string? version, string code)
    {
        var host = Made.Host() with { Qemu = version is null ? null : "/usr/bin/qemu-system-x86_64", QemuVersion = version is null ? null : Version.Parse(version) };
        var fault = Should.Throw<FaultException>(() => new QemuHypervisor().Describe(Plan(Cluster, host), host)).Faults[0];
        fault.Code.ShouldBe(code);
        fault.Remedy.ShouldContain("nstall");
    }

    [Fact]
    public void The_defaults_follow_the_host()
    {
        var small = InstanceDefaults.Fill(Cluster, Made.Host() with { Cores = 2 });
        small.Vcpus.ShouldBe(2);
        InstanceDefaults.Fill(Cluster, Made.Host()).Vcpus.ShouldBe(4);
        InstanceDefaults.Fill(Program, Made.Host()).MemoryMib.ShouldBe(1024);
        InstanceDefaults.Fill(Cluster, Made.Host(kvm: true)).Timeout!.Value.ShouldBeLessThan(InstanceDefaults.Fill(Cluster, Made.Host()).Timeout!.Value);
    }

    private static BootPlan Plan(InstanceConfig config, HostFacts host) => BootPlanner.Plan(InstanceDefaults.Fill(config, host), host, Made.Images, Made.Files());

    private static void Golden(string name, InstanceConfig config, bool kvm) => Golden(name, config, Made.Host(kvm));

    private static void Golden(string name, InstanceConfig config, HostFacts host)
    {
        var plan = Plan(config, host);
        GoldenFile.ShouldMatch(name + ".json", JsonSerializer.Serialize(plan, InstanceJson.Default.BootPlan) + "\n");
        GoldenFile.ShouldMatch(name + ".txt", Text(new QemuHypervisor().Describe(plan, host)));
    }

    private static string Text(LaunchSpec spec)
    {
        var lines = new List<string> { spec.Program };
        foreach (var argument in spec.Arguments)
        {
            if (argument.StartsWith('-') && argument != "-1")
                lines.Add(argument);
            else
                lines[^1] += " " + argument;
        }

        return string.Join('\n', lines) + "\n";
    }
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class MachineIdentityTests
{
    [Fact]
    public void Two_instances_of_the_same_options_are_the_same_machine() =>
        Of(Plan("one")).Differences(Of(Plan("two"))).ShouldBeEmpty();

    [Fact]
    public void No_path_is_a_part_of_it() =>
        Of(Plan("one")).Arguments.ShouldAllBe(argument => !argument.Contains("/cache") && !argument.Contains("/data") && !argument.Contains("/run"));

    [Fact]
    public void Where_its_memory_lies_and_what_it_goes_on_from_are_none_either()
    {
        var resumed = Plan("one") with { Memory = new GuestMemory(MemorySharing.Private, "/golden/memory.img"), Resume = new SavedMachine("/golden/devices.state", HoldsMemory: false) };
        Of(Plan("one")).Differences(Of(resumed)).ShouldBeEmpty();
    }

    [Fact]
    public void Another_processor_more_is_told_with_the_arguments_that_differ() =>
        Of(Plan("one")).Differences(Of(Plan("one", vcpus: 3))).ShouldHaveSingleItem().ShouldBe("machine: 2 -> 3");

    [Fact]
    public void Another_argument_of_the_kernel_is_another_machine() =>
        Of(Plan("one")).Differences(Of(Plan("one") with { KernelArguments = ["quiet", "something=else"] })).ShouldHaveSingleItem().ShouldStartWith("machine: ");

    [Fact]
    public void A_disk_more_is_another_machine()
    {
        var plan = Plan("one");
        var more = plan with { Disks = [.. plan.Disks, new Disk { Serial = GuestPaths.DeliverySerial, Path = "/x", Format = DiskFormat.Raw, ReadOnly = true }] };
        Of(plan).Differences(Of(more)).ShouldHaveSingleItem().ShouldContain(GuestPaths.DeliverySerial);
    }

    [Fact]
    public void Another_QEMU_is_told_by_its_version_and_the_same_version_of_another_build_by_its_hash()
    {
        var now = MachineIdentity.Of(Plan("one"), Made.Host() with { QemuVersion = new Version(10, 1, 0) }, "aaaa", "images");
        Of(Plan("one")).Differences(now).ShouldContain("hypervisor: QEMU 10.0.2 -> QEMU 10.1.0");
        Of(Plan("one")).Differences(Of(Plan("one"), qemu: "bbbb")).ShouldHaveSingleItem().ShouldBe("hypervisor's program: aaaa -> bbbb");
    }

    [Fact]
    public void Other_images_are_told() =>
        Of(Plan("one")).Differences(MachineIdentity.Of(Plan("one"), Made.Host(), "aaaa", "others")).ShouldHaveSingleItem().ShouldBe("images: images -> others");

    [Fact]
    public void Where_the_guest_runs_on_the_hosts_processor_that_is_a_part_of_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the host's processor is read from /proc/cpuinfo");
        Of(Plan("one") with { Accelerator = Accelerator.Kvm }).Processor.ShouldNotBe("emulated");
        Of(Plan("one")).Processor.ShouldBe("emulated");
    }

    internal static BootPlan Plan(string name, int vcpus = 2)
    {
        var host = Made.Host();
        return BootPlanner.Plan(InstanceDefaults.Fill(new InstanceConfig { Name = name, Vcpus = vcpus }, host), host, Made.Images, Made.Files(name));
    }

    internal static MachineIdentity Of(BootPlan plan, string qemu = "aaaa") => MachineIdentity.Of(plan, Made.Host(), qemu, "images");
}

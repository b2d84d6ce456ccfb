using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Mounts;

public sealed class MountTests
{
    private static readonly HostMount Source = new() { HostPath = "/home/me/a,b", GuestPath = "/mnt/src" };
    private static readonly HostMount Data = new() { HostPath = "/data", GuestPath = "/srv/data", ReadOnly = true };

    [Theory]
    [InlineData("/a:/mnt/a", "/a -> /mnt/a")]
    [InlineData("/a:/mnt/a:ro", "/a -> /mnt/a, read-only")]
    [InlineData("/a:/mnt/a:rw", "/a -> /mnt/a")]
    [InlineData("/a:b/:/mnt/a/", "/a:b -> /mnt/a")]
    public void A_mount_is_a_folder_here_and_a_path_there(string text, string written) => HostMount.Parse(text, out var problem).ShouldNotBeNull(problem).Text().ShouldBe(written);

    [Theory]
    [InlineData("/a")]
    [InlineData(":/a")]
    [InlineData("/a:b")]
    [InlineData("/a:b:ro")]
    [InlineData("")]
    public void Anything_else_is_none(string text)
    {
        HostMount.Parse(text, out var problem).ShouldBeNull();
        problem.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("/usr/share/x", "mount.guest-path")]
    [InlineData("/", "mount.guest-path")]
    [InlineData("/proc/x", "mount.guest-path")]
    [InlineData("/mnt/../usr", "mount.guest-path")]
    [InlineData("/mnt", "mount.guest-path")]
    [InlineData("/mnt/src", null)]
    public void It_may_be_where_the_guest_can_make_a_folder(string path, string? code) =>
        InstanceValidator.Validate(Config(Source with { GuestPath = path }), 8, 16384).Select(f => f.Code).ShouldBe(code is null ? [] : [code]);

    [Fact]
    public void Two_at_one_place_and_a_folder_that_is_not_there_are_refused()
    {
        InstanceValidator.Validate(Config(Source, Data with { GuestPath = "/mnt/src" }), 8, 16384).ShouldHaveSingleItem().Code.ShouldBe("mount.duplicate");
        MountRules.Missing(Config(Source)).ShouldHaveSingleItem().What.ShouldContain("/home/me/a,b");
    }

    [Fact]
    public void Debians_kernel_without_virtiofsd_is_refused_with_the_remedy_and_the_rest_is_not()
    {
        var fault = Should.Throw<FaultException>(() => MountRules.ThrowIfUnfit(Config(Source), Made.Host())).Faults[0];
        fault.Code.ShouldBe("mount.kernel");
        fault.Remedy.ShouldContain("--kernel custom");
        MountRules.ThrowIfUnfit(Config(Source) with { Kernel = "custom" }, Made.Host());
        MountRules.ThrowIfUnfit(Config(Source), Made.Host() with { Virtiofsd = "/usr/libexec/virtiofsd" });
        MountRules.ThrowIfUnfit(Config(Source) with { Hypervisor = HypervisorNames.Libkrun }, Made.Host());
        MountRules.ThrowIfUnfit(Config(), Made.Host());
    }

    [Fact]
    public void What_it_costs_is_said() => InstanceValidator.Notes(Config(Source) with { Kernel = "custom" }, Made.Host()).ShouldContain(note => note.Contains("no snapshots", StringComparison.Ordinal));

    [Fact]
    public void Qemu_serves_9p_itself()
    {
        var plan = Plan(Config(Source, Data) with { Kernel = "custom" }, Made.Host());

        plan.Shares.ShouldAllBe(s => s.Kind == ShareKind.Plan9 && s.Socket == null);
        Arguments(plan, Made.Host()).ShouldBe(
        [
            "-fsdev", "local,id=share0,path=/home/me/a,,b,security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=share0,mount_tag=openshell0",
            "-fsdev", "local,id=share1,path=/data,security_model=none,multidevs=remap,readonly=on",
            "-device", "virtio-9p-pci,fsdev=share1,mount_tag=openshell1",
        ]);
    }

    [Fact]
    public void A_guest_of_roots_cannot_leave_files_of_any_owner_behind()
    {
        var host = Made.Host() with { IsRoot = true };
        Arguments(Plan(Config(Source) with { Kernel = "custom" }, host), host)[1].ShouldBe("local,id=share0,path=/home/me/a,,b,security_model=mapped-xattr,fmode=0644,dmode=0755,multidevs=remap");
    }

    [Fact]
    public void Virtiofsd_serves_debians_kernel()
    {
        var host = Made.Host() with { Virtiofsd = "/usr/libexec/virtiofsd" };
        var plan = Plan(Config(Source, Data), host);
        var qemu = new Vm.Hypervisors.Qemu.QemuHypervisor().Describe(plan, host).Arguments;

        qemu.ShouldContain("q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off,memory-backend=memory");
        qemu.ShouldContain("memory-backend-memfd,id=memory,size=1024M,share=on");
        Arguments(plan, host).ShouldBe(
        [
            "-chardev", $"socket,id=share0,path={Made.Files().ShareSocket(0)}", "-device", "vhost-user-fs-pci,chardev=share0,tag=openshell0",
            "-chardev", $"socket,id=share1,path={Made.Files().ShareSocket(1)}", "-device", "vhost-user-fs-pci,chardev=share1,tag=openshell1",
        ]);
        VirtiofsdCommandLine.Describe(host.Virtiofsd, plan.Shares[1], Made.Files()).Arguments.ShouldBe(
            ["--socket-path", Made.Files().ShareSocket(1), "--shared-dir", "/data", "--sandbox", "namespace", "--cache", "auto", "--readonly"]);
    }

    [Fact]
    public void Libkrun_has_a_call_for_it()
    {
        var host = Made.Host(kvm: true) with { Libkrun = "/lib/libkrun.so.1" };
        var plan = Plan(Config(Source, Data) with { Hypervisor = HypervisorNames.Libkrun }, host);

        KrunCalls.For(plan, KrunKernelFormat.Elf, _ => true).OfType<KrunCall.AddVirtiofs3>().ShouldBe(
            [new KrunCall.AddVirtiofs3("openshell0", "/home/me/a,b", 0, false), new KrunCall.AddVirtiofs3("openshell1", "/data", 0, true)]);
        KrunCalls.For(plan with { Shares = [plan.Shares[0]] }, KrunKernelFormat.Elf, f => f != "krun_add_virtiofs3").OfType<KrunCall.AddVirtiofs>().ShouldHaveSingleItem();
        Should.Throw<FaultException>(() => KrunCalls.For(plan, KrunKernelFormat.Elf, f => f != "krun_add_virtiofs3")).Faults[0].What.ShouldContain("krun_add_virtiofs3");
    }

    private static InstanceConfig Config(params HostMount[] mounts) => new()
    {
        Name = "default",
        Mode = GuestMode.Exec,
        Exec = new ExecRequest { Program = "/bin/true" },
        Vcpus = 2,
        MemoryMib = 1024,
        Hypervisor = HypervisorNames.Qemu,
        Mounts = mounts,
    };

    private static BootPlan Plan(InstanceConfig config, HostFacts host) => BootPlanner.Plan(config, host, Made.Images, Made.Files());

    // From the first share to the network, which follows.
    private static IReadOnlyList<string> Arguments(BootPlan plan, HostFacts host) =>
    [
        .. new Vm.Hypervisors.Qemu.QemuHypervisor().Describe(plan, host).Arguments
            .SkipWhile(a => !a.Contains("id=share0", StringComparison.Ordinal)).TakeWhile(a => a != "-netdev").Prepend(plan.Shares[0].Kind == ShareKind.Plan9 ? "-fsdev" : "-chardev"),
    ];
}

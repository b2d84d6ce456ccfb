using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Instances;

public sealed class InstanceValidatorTests
{
    private const int Cores = 2;
    private const int MemoryMib = 8192;

    private static readonly InstanceConfig Good = new() { Name = "default" };

    private static PortForward Port(int host, int guest, string address = "127.0.0.1") => new() { HostPort = host, GuestPort = guest, HostAddress = address };

    public static TheoryData<string, InstanceConfig, string, string> Bad => new()
    {
        { "no vCPUs", Good with { Vcpus = 0 }, "instance.vcpus-invalid", "--vcpus 0" },
        { "negative vCPUs", Good with { Vcpus = -1 }, "instance.vcpus-invalid", "--vcpus -1" },
        { "too many vCPUs", Good with { Vcpus = 256 }, "instance.vcpus-invalid", "between 1 and 255" },
        { "too little memory for a cluster", Good with { MemoryMib = 2047 }, "instance.memory-too-small", "2048" },
        { "too little memory for a program", Good with { Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" }, MemoryMib = 64 }, "instance.memory-too-small", "128" },
        { "more memory than the host has", Good with { MemoryMib = 9000 }, "instance.memory-too-large", "9000 MiB of memory; this host has 8192 MiB" },
        { "an unknown hypervisor", Good with { Hypervisor = "xen" }, "instance.hypervisor-unknown", "xen" },
        { "a k3s for upstream", Good with { Distribution = "upstream", K3sBinary = "/opt/k3s" }, "instance.k3s-binary-unused", "--k3s-binary" },
        { "an unknown distribution", Good with { Distribution = "minikube" }, "instance.distribution-unknown", "minikube" },
        { "a base image that is none", Good with { BaseImage = "Debian 12" }, "image.base-image-invalid", "--base-image 'Debian 12'" },
        { "a base image and a folder", Good with { BaseImage = "docker.io/library/debian:12", RootDirectory = "/srv/root", Hypervisor = "libkrun" }, "instance.base-image-unused", "--rootfs" },
        { "an unknown kernel", Good with { Kernel = "freebsd" }, "instance.kernel-unknown", "freebsd" },
        { "an unknown network", Good with { Network = "tap" }, "instance.net-unknown", "tap" },
        { "a cluster without a network", Good with { Network = "none" }, "instance.network-needed", "network" },
        { "a host port past the end", Good with { Ports = [Port(99999, 1)] }, "network.port-invalid", "99999" },
        { "a negative host port", Good with { Ports = [Port(-1, 1)] }, "network.port-invalid", "-1" },
        { "guest port 0", Good with { Ports = [Port(8080, 0)] }, "network.port-invalid", "8080:0" },
        { "a guest port past the end", Good with { Ports = [Port(8080, 65536)] }, "network.port-invalid", "65536" },
        { "a host port given twice", Good with { Ports = [Port(8080, 80), Port(8080, 81)] }, "network.port-duplicate", "8080" },
        { "the gateway's own port", Good with { Ports = [Port(30051, 80)] }, "network.port-duplicate", "the gateway" },
        { "a gateway port past the end", Good with { GatewayPort = 70000 }, "network.port-invalid", "--gateway-port" },
        { "an address that is none", Good with { Ports = [Port(8080, 80, "localhost")] }, "network.address-invalid", "localhost" },
        { "ports without a network", Good with { Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" }, Network = "none", Ports = [Port(8080, 80)] }, "network.ports-without-network", "-p" },
        { "no program", Good with { Mode = GuestMode.Exec }, "exec.no-program", "program" },
        { "an environment without =", Good with { Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true", Environment = ["A"] } }, "exec.env-invalid", "'A'" },
        { "a relative workdir", Good with { Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true", WorkingDirectory = "tmp" } }, "exec.workdir-invalid", "'tmp'" },
        { "an unknown log level", Good with { KrunLogLevel = 6 }, "krun.log-level-invalid", "between 0 and 5" },
        { "a relative root", Good with { RootDirectory = "root" }, "krun.rootfs-invalid", "'root'" },
        { "a relative runtime folder", Good with { RuntimeDirectory = "lib" }, "krun.runtime-dir-invalid", "'lib'" },
        { "a folder under QEMU", Good with { RootDirectory = "/srv/root", Hypervisor = "qemu" }, "krun.hypervisor-needed", "--rootfs is for libkrun, but --hypervisor qemu" },
        { "a log level under QEMU", Good with { KrunLogLevel = 1, Hypervisor = "qemu" }, "krun.hypervisor-needed", "--krun-log-level" },
        { "a cluster with libkrun's own network", Good with { Network = "tsi" }, "network.tsi-breaks-cluster", "gvproxy" },
        { "libkrun's own network with images", Good with { Network = "tsi", Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" } }, "network.tsi-needs-rootfs", "--rootfs" },
        {
            "libkrun's own network with an address",
            Good with { Network = "tsi", Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" }, RootDirectory = "/srv/root", Ports = [Port(8080, 80, "0.0.0.0")] },
            "network.tsi-address",
            "0.0.0.0:8080:80"
        },
        { "no time", Good with { Timeout = TimeSpan.Zero }, "instance.timeout-invalid", "--timeout" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_wrong_is_named_with_a_remedy(string what, InstanceConfig config, string code, string says)
    {
        var fault = InstanceValidator.Validate(config, Cores, MemoryMib).ShouldHaveSingleItem(what);
        fault.Code.ShouldBe(code);
        (fault.What + fault.Remedy).ShouldContain(says);
        fault.Remedy.ShouldNotBeEmpty();
        fault.IsUsage.ShouldBeTrue();
    }

    [Fact]
    public void All_errors_are_reported_at_once() =>
        InstanceValidator.Validate(Good with { Name = "a/b", Vcpus = 0, MemoryMib = 1, Ports = [Port(0, 0), Port(70000, 1)], Network = "x" }, Cores, MemoryMib)
            .Select(f => f.Code)
            .ShouldBe(["instance.name-invalid", "instance.vcpus-invalid", "instance.memory-too-small", "instance.net-unknown", "network.port-invalid", "network.port-invalid"]);

    [Fact]
    public void The_defaults_are_good() => InstanceValidator.Validate(Good, Cores, MemoryMib).ShouldBeEmpty();

    [Fact]
    public void The_defaults_do_not_fit_a_host_with_less_memory() =>
        InstanceValidator.Validate(Good, Cores, 2500).ShouldHaveSingleItem().What.ShouldContain("4096 MiB of memory; this host has 2500 MiB");

    [Fact]
    public void Free_ports_may_be_asked_for_more_than_once() =>
        InstanceValidator.Validate(Good with { Ports = [Port(0, 80), Port(0, 81)] }, Cores, MemoryMib).ShouldBeEmpty();

    [Fact]
    public void One_port_of_two_addresses_is_two_ports() =>
        InstanceValidator.Validate(Good with { Ports = [Port(8080, 80), Port(8080, 80, "127.0.0.2")] }, Cores, MemoryMib).ShouldBeEmpty();

    [Fact]
    public void More_vCPUs_than_the_host_has_are_allowed_and_noted()
    {
        var config = Good with { Vcpus = 16 };
        InstanceValidator.Validate(config, Cores, MemoryMib).ShouldBeEmpty();
        InstanceValidator.Notes(config, Support.Made.Host()).ShouldHaveSingleItem().ShouldContain("16 virtual CPUs share 8 processors");
    }
}

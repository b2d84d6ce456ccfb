using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Instances;

public sealed class StoredConfigTests
{
    private static readonly InstanceConfig Stored = new()
    {
        Name = "test",
        Vcpus = 3,
        MemoryMib = 5000,
        DiskGib = 40,
        Hypervisor = "qemu",
        Distribution = "upstream",
        Kernel = "custom",
        GatewayPort = 31000,
        Ports = [new PortForward { HostPort = 8080, GuestPort = 80 }],
        Mounts = [new HostMount { HostPath = "/src", GuestPath = "/mnt/src" }],
        Restart = RestartPolicies.Always,
        IdleSuspend = TimeSpan.FromMinutes(10),
        AllowHostLoopback = true,
        CertificateAuthorities = ["/ca.pem"],
    };

    [Fact]
    public void What_a_start_does_not_say_is_as_it_was()
    {
        var config = StoredConfig.Complete(new InstanceConfig { Name = "test" }, Stored);

        config.ShouldBe(Stored with { AllowHostLoopback = false, CertificateAuthorities = config.CertificateAuthorities });
    }

    [Fact]
    public void A_start_that_repeats_the_last_has_all_that_it_had()
    {
        var config = StoredConfig.Complete(new InstanceConfig { Name = "test", Repeats = true }, Stored);

        config.ShouldBe(Stored);
        (config.AllowHostLoopback, config.CertificateAuthorities).ShouldBe((true, Stored.CertificateAuthorities));
    }

    [Fact]
    public void What_it_says_counts()
    {
        var config = StoredConfig.Complete(new InstanceConfig { Name = "test", Vcpus = 1, Ports = [new PortForward { HostPort = 0, GuestPort = 22 }], GatewayPort = 0, Distribution = "k3s", K3sBinary = "/k3s" }, Stored);

        (config.Vcpus, config.MemoryMib, config.GatewayPort, config.Distribution, config.K3sBinary).ShouldBe((1, 5000, 0, "k3s", "/k3s"));
        config.Ports.Single().GuestPort.ShouldBe(22);
    }

    [Fact]
    public void Folders_of_the_host_stay_unless_others_are_named()
    {
        var other = new HostMount { HostPath = "/other", GuestPath = "/mnt/other" };

        StoredConfig.Complete(new InstanceConfig { Name = "test" }, Stored).Mounts.ShouldBe(Stored.Mounts);
        StoredConfig.Complete(new InstanceConfig { Name = "test", Mounts = [other] }, Stored).Mounts.ShouldBe([other]);
    }

    [Fact]
    public void What_is_named_is_taken_back_though_its_value_is_that_of_nothing_said()
    {
        const NamedSettings All = NamedSettings.Hypervisor | NamedSettings.Network | NamedSettings.Mounts | NamedSettings.IdleSuspend;
        var config = StoredConfig.Complete(new InstanceConfig { Name = "test", Named = All }, Stored with { Network = "tsi" });

        (config.Hypervisor, config.Network, config.IdleSuspend, config.Restart, config.Named).ShouldBe((null, "gvproxy", null, RestartPolicies.Always, NamedSettings.None));
        config.Mounts.ShouldBeEmpty();
    }

    [Fact]
    public void What_opens_or_is_given_along_is_not_carried_over()
    {
        var config = StoredConfig.Complete(new InstanceConfig { Name = "test" }, Stored);

        config.AllowHostLoopback.ShouldBeFalse();
        config.CertificateAuthorities.ShouldBeEmpty();
    }

    [Fact]
    public void A_new_instance_and_a_program_are_what_was_asked_for()
    {
        var program = new InstanceConfig { Name = "test", Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" } };

        StoredConfig.Complete(program, Stored).ShouldBe(program);
        StoredConfig.Complete(Stored, null).ShouldBe(Stored);
    }
}

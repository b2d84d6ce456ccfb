using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class GoldenKeyTests
{
    private static readonly InstanceConfig Config = InstanceDefaults.Fill(new InstanceConfig { Name = "one", Vcpus = 2 }, Made.Host());

    public static TheoryData<string, InstanceConfig> Others => new()
    {
        { "vcpus: 2 -> 3", Config with { Vcpus = 3 } },
        { "memory: 4096 MiB -> 5000 MiB", Config with { MemoryMib = 5000 } },
        { "disk: 20 GiB -> 30 GiB", Config with { DiskGib = 30 } },
        { "distribution: upstream -> k3s", Config with { Distribution = "k3s" } },
        { "host loopback: closed -> allowed", Config with { AllowHostLoopback = true } },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Whatever_is_in_its_memory_makes_another_image_and_is_told(string difference, InstanceConfig other)
    {
        Of(Config).Hash().ShouldNotBe(Of(other).Hash());
        Of(Config).Differences(Of(other)).ShouldBe([difference]);
    }

    [Fact]
    public void What_is_given_along_is_a_part_of_it()
    {
        var other = GoldenKey.Of(Config, Machine(Config), "5678");
        Of(Config).Hash().ShouldNotBe(other.Hash());
        Of(Config).Differences(other).ShouldBe(["what is given along: nothing -> 5678"]);
    }

    [Fact]
    public void A_proxy_is_a_part_of_it_and_its_password_is_not_told()
    {
        var other = Of(Config with { Proxy = new ProxyConfig { Http = "http://user:secret@proxy:3128" } });
        Of(Config).Hash().ShouldNotBe(other.Hash());
        Of(Config).Differences(other).ShouldHaveSingleItem().ShouldNotContain("secret");
    }

    [Fact]
    public void Names_ports_and_policies_are_none() =>
        Of(Config).Hash().ShouldBe(Of(Config with { Name = "two", GatewayPort = 12345, Restart = "always", IdleSuspend = TimeSpan.FromMinutes(1), Ports = [new PortForward { HostPort = 1, GuestPort = 2 }] }).Hash());

    [Fact]
    public void Its_hash_is_the_name_of_a_folder() => Of(Config).Hash().ShouldMatch("^[0-9a-f]{24}$");

    [Fact]
    public void What_QEMU_cannot_save_has_none_and_the_reason_is_told()
    {
        GoldenKey.WhyNot(Config, Made.Host()).ShouldBeNull();
        GoldenKey.WhyNot(Config with { Mounts = [new HostMount { HostPath = "/a", GuestPath = "/b" }] }, Made.Host()).ShouldNotBeNull().ShouldContain("--mount");
        GoldenKey.WhyNot(Config with { Hypervisor = "libkrun" }, Made.Host()).ShouldNotBeNull().ShouldContain("libkrun cannot save");
        GoldenKey.WhyNot(Config, Made.Host() with { QemuVersion = new Version(8, 2) }).ShouldNotBeNull().ShouldContain("QEMU 9.0 or later is needed, and this is 8.2");
        GoldenKey.WhyNot(Config with { Network = "none" }, Made.Host()).ShouldNotBeNull().ShouldContain("network");
    }

    private static MachineIdentity Machine(InstanceConfig config) => MachineIdentityTests.Of(MachineIdentityTests.Plan("x", config.Vcpus!.Value));

    private static GoldenKey Of(InstanceConfig config) => GoldenKey.Of(config, Machine(config), null);
}

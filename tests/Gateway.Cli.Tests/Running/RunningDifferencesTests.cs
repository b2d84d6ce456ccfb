using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;

namespace OpenShell.Gateway.Cli.Tests.Running;

public sealed class RunningDifferencesTests
{
    private static readonly HostMount Source = new() { HostPath = "/src", GuestPath = "/mnt/src" };

    private static readonly InstanceConfig Nothing = new() { Name = "test" };

    private static readonly InstanceConfig Stored = Nothing with
    {
        Kernel = "custom",
        Hypervisor = "qemu",
        BaseImage = "docker.io/library/debian:12",
        Restart = "always",
        IdleSuspend = TimeSpan.FromMinutes(10),
        Workload = new WorkloadConfig { Manifests = ["/a.yaml"], Images = ["/a.tar"], Charts = ["/a.tgz"] },
        CertificateAuthorities = ["/ca.pem"],
        RegistryMirrors = [new RegistryMirror { Upstream = "*", Url = "https://m" }],
        Proxy = new ProxyConfig { Http = "http://p:1" },
        AllowHostLoopback = true,
    };

    private static readonly InstanceStatus Running = new() { Name = "test", Phase = InstancePhase.Ready, Hypervisor = "qemu", Mounts = [Source] };

    [Fact]
    public void What_was_not_asked_for_is_no_difference()
    {
        RunningDifferences.Of(Nothing, Stored, Running).ShouldBeEmpty();

        // Of every shell that has one: nobody has asked for it.
        RunningDifferences.Of(Nothing with { Proxy = new ProxyConfig { Http = "http://q:1" } }, Stored, Running).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_so_already_is_no_difference() =>
        RunningDifferences.Of(Stored with { Mounts = [Source], Named = NamedSettings.Hypervisor | NamedSettings.IdleSuspend | NamedSettings.Proxy }, Stored, Running).ShouldBeEmpty();

    [Fact]
    public void All_that_is_given_along_is_compared()
    {
        var asked = Nothing with
        {
            Workload = new WorkloadConfig { Manifests = ["/a.yaml", "/b.yaml"], Images = ["/b.tar"], Charts = ["/b.tgz"] },
            CertificateAuthorities = ["/ca.pem", "host"],
            RegistryMirrors = [new RegistryMirror { Upstream = "*", Url = "https://n" }],
            Proxy = new ProxyConfig { Http = "http://q:1" },
            AllowHostLoopback = true,
            Named = NamedSettings.Proxy,
        };

        RunningDifferences.Of(asked, Stored, Running).ShouldBe(["--manifests /b.yaml", "--images /b.tar", "--chart /b.tgz", "--ca host", "--registry-mirror *=https://n", "--proxy host"]);
        RunningDifferences.Of(asked, Nothing, Running).ShouldContain("--allow-host-loopback");
        RunningDifferences.Of(asked with { Proxy = null }, Stored, Running).ShouldContain("--proxy none");
    }

    [Fact]
    public void What_is_the_usual_by_name_is_compared_too()
    {
        var asked = Nothing with
        {
            Kernel = "debian",
            BaseImage = "none",
            Restart = "no",
            Named = NamedSettings.Hypervisor | NamedSettings.IdleSuspend | NamedSettings.Mounts | NamedSettings.Network,
        };

        RunningDifferences.Of(asked, Stored, Running).ShouldBe(["--mount none", "--hypervisor auto", "--base-image none", "--kernel debian", "--restart no", "--idle-suspend off"]);
        RunningDifferences.Of(asked, Nothing, Running with { Mounts = [] }).ShouldBeEmpty();
    }

    [Fact]
    public void Without_a_configuration_what_the_machine_says_is_compared() =>
        RunningDifferences.Of(Nothing with { Hypervisor = "libkrun", Kernel = "custom" }, null, Running).ShouldBe(["--hypervisor libkrun"]);
}

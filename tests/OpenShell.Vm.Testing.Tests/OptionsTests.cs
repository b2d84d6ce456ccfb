using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing.Tests;

public sealed class OptionsTests : IDisposable
{
    private readonly TestFolder _folder = TestFolder.Create();

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_default_asks_for_what_a_user_gets_by_default()
    {
        var config = new TestClusterOptions().ToConfig("test-1");

        // Else a golden image of 'gateway image bake' would not fit.
        config.ShouldBe(new InstanceConfig { Name = "test-1", GatewayPort = 0, Ports = config.Ports, AddedPorts = config.AddedPorts, Mounts = config.Mounts, CertificateAuthorities = config.CertificateAuthorities, RegistryMirrors = config.RegistryMirrors });
    }

    [Fact]
    public void Paths_are_those_of_the_tests_working_directory()
    {
        var config = new TestClusterOptions { Manifests = ["deploy"] }.ToConfig("test-1");

        config.Workload!.Manifests.ShouldBe([Path.GetFullPath("deploy")]);
    }

    [Fact]
    public void Names_ports_and_limits_make_no_golden_image_of_their_own()
    {
        Key(new TestClusterOptions(), "test-1").ShouldBe(Key(new TestClusterOptions { StartLimit = TimeSpan.FromMinutes(9), Ports = [new PortForward { HostPort = 0, GuestPort = 30080 }] }, "test-2"));
    }

    [Fact]
    public void Another_shape_is_another_golden_image()
    {
        Key(new TestClusterOptions()).ShouldNotBe(Key(new TestClusterOptions { MemoryMib = 3000 }));
        Key(new TestClusterOptions()).ShouldNotBe(Key(new TestClusterOptions { Configure = config => config with { AllowHostLoopback = true } }));
    }

    [Fact]
    public void A_manifest_that_was_changed_is_another_golden_image()
    {
        var manifest = Path.Combine(_folder.Path, "a.yaml");
        File.WriteAllText(manifest, "kind: Namespace");
        var options = new TestClusterOptions { Manifests = [_folder.Path] };
        var before = Key(options);
        Key(options).ShouldBe(before);

        File.WriteAllText(manifest, "kind: ConfigMap # longer");

        Key(options).ShouldNotBe(before);
    }

    private string Key(TestClusterOptions options, string name = "test-1") => GoldenStart.KeyOf(Instances, options.ToConfig(name), options);
}

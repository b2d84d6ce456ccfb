using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Images;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>What an instance's disk decides about its next start.</summary>
public sealed class DiskMemoryTests : IDisposable
{
    private const string Image = "docker.io/library/debian:12";

    private static readonly InstanceConfig Asked = new() { Name = "default", Distribution = "upstream", Hypervisor = "qemu", MemoryMib = 2048, Vcpus = 1 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_instance_stays_made_of_its_base_image_as_long_as_it_has_its_disk()
    {
        var files = Stored(Asked with { BaseImage = Image });

        (await PlannedAsync(Asked)).BaseImage.ShouldBeNull();
        Disk(files);
        (await PlannedAsync(Asked)).BaseImage.ShouldBe(Image);
        (await PlannedAsync(Asked with { BaseImage = "ghcr.io/other/base:1" })).BaseImage.ShouldBe("ghcr.io/other/base:1");
        (await PlannedAsync(Asked with { BaseImage = "none" })).BaseImage.ShouldBeNull();
    }

    [Fact]
    public async Task An_instance_keeps_the_processor_that_its_disk_is_of_and_refuses_another()
    {
        var other = Architectures.All.Single(a => a != Architectures.Host);
        var files = Stored(Asked with { Architecture = other });

        (await PlannedAsync(Asked with { Architecture = Architectures.Host })).Architecture.ShouldBe(Architectures.Host);
        Disk(files);
        (await PlannedAsync(Asked)).Architecture.ShouldBe(other);
        (await PlannedAsync(Asked with { Architecture = other })).Architecture.ShouldBe(other);

        await RefusedAsync(Asked with { Architecture = Architectures.Host });
        InstanceStore.WriteConfig(files, Asked);
        await RefusedAsync(Asked with { Architecture = other });
        (await PlannedAsync(Asked with { Architecture = Architectures.Host })).Architecture.ShouldBe(Architectures.Host);

        async Task RefusedAsync(InstanceConfig config)
        {
            var fault = (await Should.ThrowAsync<FaultException>(PlannedAsync(config))).Faults.ShouldHaveSingleItem();
            fault.Code.ShouldBe("instance.architecture");
            fault.Remedy.ShouldContain("gateway delete");
        }
    }

    private static void Disk(InstanceFiles files) => File.WriteAllText(files.StateDisk, "");

    private InstanceFiles Stored(InstanceConfig config)
    {
        var files = new InstanceStore(_folder.Directories).Files(InstanceName.Parse("default"));
        InstanceStore.CreateFolders(files);
        InstanceStore.WriteConfig(files, config);
        return files;
    }

    private async Task<InstanceConfig> PlannedAsync(InstanceConfig config) =>
        (await new LocalInstances(new InstancesOptions { Directories = _folder.Directories, Host = Made.Host() }).PlanAsync(config, TestContext.Current.CancellationToken)).Config;
}

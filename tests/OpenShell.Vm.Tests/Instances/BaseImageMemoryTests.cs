using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Images;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

public sealed class BaseImageMemoryTests : IDisposable
{
    private const string Image = "docker.io/library/debian:12";

    private static readonly InstanceConfig Asked = new() { Name = "default", Distribution = "upstream", Hypervisor = "qemu", MemoryMib = 2048, Vcpus = 1 };

    private readonly TemporaryFolder _folder = new();

    private HostDirectories Directories => new()
    {
        Data = _folder.File("data"),
        Cache = _folder.File("cache"),
        OpenShellConfig = _folder.File("config"),
        Runtime = _folder.File("run"),
        Kube = _folder.File("kube"),
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_instance_stays_made_of_its_base_image_as_long_as_it_has_its_disk()
    {
        var files = new InstanceStore(Directories).Files(InstanceName.Parse("default"));
        InstanceStore.CreateFolders(files);
        InstanceStore.WriteConfig(files, Asked with { BaseImage = Image });

        (await PlannedAsync(Asked)).ShouldBeNull();
        await File.WriteAllTextAsync(files.StateDisk, "", TestContext.Current.CancellationToken);
        (await PlannedAsync(Asked)).ShouldBe(Image);
        (await PlannedAsync(Asked with { BaseImage = "ghcr.io/other/base:1" })).ShouldBe("ghcr.io/other/base:1");
        (await PlannedAsync(Asked with { BaseImage = "none" })).ShouldBeNull();
    }

    private async Task<string?> PlannedAsync(InstanceConfig config) =>
        (await new LocalInstances(new InstancesOptions { Directories = Directories, Host = Made.Host() }).PlanAsync(config, TestContext.Current.CancellationToken)).Config.BaseImage;
}

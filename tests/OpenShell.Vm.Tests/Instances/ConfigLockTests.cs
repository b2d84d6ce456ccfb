using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>Changes of one configuration at one instant: none is lost.</summary>
public sealed class ConfigLockTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>On a host on which nothing can be started.</summary>
    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories, Host = Made.Host() with { Qemu = null, Gvproxy = null } });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_many_edits_at_one_instant_none_is_lost()
    {
        var files = _folder.Instance("dev");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "dev", DiskGib = 100 });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
                await Instances.EditAsync("dev", config => config with { DiskGib = config.DiskGib + 1 }, Cancellation);
        })));

        (await Instances.ConfigAsync("dev", Cancellation)).ShouldNotBeNull().DiskGib.ShouldBe(140);
    }

    [Fact]
    public async Task An_edit_and_a_start_wait_for_a_change_that_is_under_way_and_keep_it()
    {
        var files = _folder.Instance("dev");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "dev", MemoryMib = 2048 });
        PortForward added = new() { HostPort = 8080, GuestPort = 80 };
        Task<InstanceConfig> edit;
        Task<IRunningInstance> start;
        using (ConfigLock.Take(files))
        {
            // As a supervisor that adds a forward.
            var read = new InstanceStore(_folder.Directories).ReadConfig(InstanceName.Parse("dev"));
            edit = Task.Run(() => Instances.EditAsync("dev", config => config with { DiskGib = 40 }, Cancellation), Cancellation);
            start = Task.Run(() => Instances.RunAsync(new InstanceConfig { Name = "dev", MemoryMib = 2048, DiskGib = 40 }, cancellationToken: Cancellation), Cancellation);
            await Eventually.BeTrueAsync(() => InstanceLock.HolderOf(files) is not null, "the start has the instance");
            InstanceStore.WriteConfig(files, read with { AddedPorts = [added] });
            edit.IsCompleted.ShouldBeFalse();
            start.IsCompleted.ShouldBeFalse();
        }

        await edit;
        await using var running = await start;
        var config = (await Instances.ConfigAsync("dev", Cancellation)).ShouldNotBeNull();
        (config.DiskGib, config.AddedPorts.Single()).ShouldBe((40, added));
        await Should.ThrowAsync<FaultException>(() => running.Completion);
    }
}

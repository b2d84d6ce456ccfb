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
            start = Task.Run(() => Instances.RunAsync(new InstanceConfig { Name = "dev", MemoryMib = 2048 }, cancellationToken: Cancellation), Cancellation);
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

    /// <summary>By itself the start would clash: where nothing is said, the gateway of 'default' has port 30051.</summary>
    [Fact]
    public async Task A_start_is_judged_by_what_it_leaves_out_too()
    {
        InstanceStore.WriteConfig(_folder.Instance(), new InstanceConfig { Name = "default", MemoryMib = 2048, GatewayPort = 40000 });
        PortForward gateways = new() { HostPort = 30051, GuestPort = 80 };

        await using var running = await Instances.RunAsync(new InstanceConfig { Name = "default", Ports = [gateways] }, cancellationToken: Cancellation);

        (await Instances.ConfigAsync("default", Cancellation)).ShouldNotBeNull().Ports.ShouldBe([gateways]);
        await Should.ThrowAsync<FaultException>(() => running.Completion);
        (await Should.ThrowAsync<FaultException>(() => Instances.RunAsync(new InstanceConfig { Name = "other", MemoryMib = 2048, GatewayPort = 30051, Ports = [gateways] }, cancellationToken: Cancellation))).Faults[0].IsUsage.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_changed_before_a_start_has_the_instance_counts_for_all_that_it_does_not_say(bool repeats)
    {
        var files = _folder.Instance("dev");
        PortForward port = new() { HostPort = 8080, GuestPort = 80 }, added = new() { HostPort = 8081, GuestPort = 81 };
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "dev", MemoryMib = 2048, Ports = [port], AddedPorts = [added], AllowHostLoopback = true });
        Task<IRunningInstance> start;
        using (ConfigLock.Take(files))
        {
            start = Task.Run(() => Instances.RunAsync(new InstanceConfig { Name = "dev", Repeats = repeats }, cancellationToken: Cancellation), Cancellation);
            await Eventually.BeTrueAsync(() => InstanceLock.HolderOf(files) is not null, "the start has the instance");

            // As 'gateway edit --mem 3g -p none' does, and 'gateway port remove'.
            InstanceStore.WriteConfig(files, new InstanceConfig { Name = "dev", MemoryMib = 3072, AllowHostLoopback = true });
        }

        await using var running = await start;
        var config = (await Instances.ConfigAsync("dev", Cancellation)).ShouldNotBeNull();
        (config.MemoryMib, config.Ports.Count, config.AddedPorts.Count, config.AllowHostLoopback, config.Repeats).ShouldBe((3072, 0, 0, repeats, false));
        await Should.ThrowAsync<FaultException>(() => running.Completion);
    }

    [Fact]
    public async Task A_start_asks_its_supervisor_for_what_it_says_and_no_more()
    {
        var files = _folder.Instance("dev");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "dev", MemoryMib = 2048, Hypervisor = "libkrun", Vcpus = 1 });
        var kept = _folder.File("request");

        // In place of a supervisor: keeps what it is asked for.
        await Should.ThrowAsync<FaultException>(() => Instances.StartDetachedAsync(
            new InstanceConfig { Name = "dev", Vcpus = 2, Named = NamedSettings.Hypervisor | NamedSettings.Mounts }, ["/bin/sh", "-c", $"cp \"$0\" {kept}"], cancellationToken: Cancellation));

        var asked = InstanceStore.ReadRequest(kept);
        (asked.MemoryMib, asked.Vcpus, asked.Hypervisor, asked.Named).ShouldBe((null, 2, null, NamedSettings.Hypervisor | NamedSettings.Mounts));
        var meant = StoredConfig.Complete(asked, await Instances.ConfigAsync("dev", Cancellation));
        (meant.MemoryMib, meant.Vcpus, meant.Hypervisor, meant.Named).ShouldBe((2048, 2, null, NamedSettings.None));
    }

    [Fact]
    public async Task There_is_nothing_to_repeat_of_an_instance_that_was_never_started()
    {
        (await Should.ThrowAsync<FaultException>(() => Instances.StartDetachedAsync(new InstanceConfig { Name = "dev", Repeats = true }, ["/bin/false"], cancellationToken: Cancellation))).Faults[0].Code.ShouldBe("instance.unknown");
        Directory.Exists(InstanceFiles.For(_folder.Directories, InstanceName.Parse("dev")).Root).ShouldBeFalse();
    }
}

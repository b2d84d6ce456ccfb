using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

public sealed class InstanceStoreTests
{
    [Fact]
    public void A_configuration_that_says_less_has_the_defaults_for_the_rest()
    {
        var config = JsonSerializer.Deserialize("""{"name": "old", "mode": "cluster", "ports": [{"hostPort": 1, "guestPort": 2}]}""", InstanceJson.Default.InstanceConfig)!;

        config.Network.ShouldBe("gvproxy");
        config.Ports.Single().HostAddress.ShouldBe("127.0.0.1");
        JsonSerializer.Deserialize("""{"name": "old", "mode": "cluster"}""", InstanceJson.Default.InstanceConfig)!.Ports.ShouldBeEmpty();
    }

    [Fact]
    public void A_configuration_comes_back_as_it_was_written()
    {
        using var folder = new TestFolder();
        var config = new InstanceConfig
        {
            Name = "test",
            Vcpus = 3,
            MemoryMib = 5000,
            Ports = [new PortForward { HostPort = 0, GuestPort = 80 }],
            Exec = new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "a\nb"], Environment = ["A=ä"] },
            Timeout = TimeSpan.FromSeconds(90.5),
        };
        InstanceStore.WriteConfig(folder.Instance("test"), config);
        var read = new InstanceStore(folder.Directories).ReadConfig(InstanceName.Parse("test"));
        JsonSerializer.Serialize(read, InstanceJson.Default.InstanceConfig).ShouldBe(JsonSerializer.Serialize(config, InstanceJson.Default.InstanceConfig));
    }

    [Fact]
    public async Task A_reader_never_sees_a_configuration_that_is_half_written()
    {
        using var folder = new TestFolder();
        using var writer = Dummy.Start("churn-config", folder.Path, "test");
        (await writer.LineAsync()).ShouldBe("going");
        var store = new InstanceStore(folder.Directories);
        await Eventually.BeTrueAsync(() => File.Exists(store.Files(InstanceName.Parse("test")).Config), "the first configuration is there");
        try
        {
            for (var i = 0; i < 2000; i++)
                store.ReadConfig(InstanceName.Parse("test")).Ports.Count.ShouldBeOneOf(0, 500);
        }
        finally
        {
            writer.Kill();
            await writer.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Broken_instances_are_listed_beside_good_ones()
    {
        using var folder = new TestFolder();
        InstanceStore.WriteConfig(folder.Instance("good"), new InstanceConfig { Name = "good" });
        File.WriteAllText(folder.Instance("cut").Config, """{"name": "cu""");
        InstanceStore.WriteConfig(folder.Instance("moved"), new InstanceConfig { Name = "another" });
        folder.Instance("empty");

        var list = await new LocalInstances(new InstancesOptions { Directories = folder.Directories }).ListAsync(TestContext.Current.CancellationToken);
        list.Select(i => (i.Name, i.Phase)).ShouldBe(
            [("cut", InstancePhase.Broken), ("empty", InstancePhase.Broken), ("good", InstancePhase.Stopped), ("moved", InstancePhase.Broken)]);
        list[0].Fault.ShouldNotBeNull().What.ShouldContain("config.json");
    }

    [Fact]
    public async Task A_configuration_that_was_removed_is_named_and_a_start_writes_it_anew()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("dev");
        var instances = new LocalInstances(new InstancesOptions { Directories = folder.Directories });

        var fault = (await instances.ListAsync(TestContext.Current.CancellationToken)).ShouldHaveSingleItem().Fault.ShouldNotBeNull();

        (fault.Code, fault.What).ShouldBe(("instance.broken", $"{files.Config} is missing."));
        fault.Remedy.ShouldContain("'gateway up --name dev'");
        (await Should.ThrowAsync<FaultException>(() => instances.StartDetachedAsync(new InstanceConfig { Name = "dev", MemoryMib = 2048 }, ["/bin/false"]))).Faults[0].Code.ShouldBe("instance.supervisor-ended");
        (await instances.FindAsync("dev", TestContext.Current.CancellationToken)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact]
    public async Task An_instance_whose_supervisor_was_killed_is_failed_and_says_so()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
        InstanceStore.WriteStatus(files, new InstanceStatus
        {
            Name = "test",
            Phase = InstancePhase.Ready,
            Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = new(1, 1) },
        });
        var instances = new LocalInstances(new InstancesOptions { Directories = folder.Directories });
        var status = (await instances.FindAsync("test", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        status.Phase.ShouldBe(InstancePhase.Failed);
        status.Fault.ShouldNotBeNull().Code.ShouldBe("instance.supervisor-lost");
        status.Processes.ShouldBeEmpty();

        await instances.StopAsync("test", cancellationToken: TestContext.Current.CancellationToken);
        (await instances.FindAsync("test", TestContext.Current.CancellationToken)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact]
    public async Task What_does_not_exist_is_unknown()
    {
        using var folder = new TestFolder();
        var instances = new LocalInstances(new InstancesOptions { Directories = folder.Directories });
        (await instances.FindAsync("nobody", TestContext.Current.CancellationToken)).ShouldBeNull();
        (await instances.ListAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
        (await Should.ThrowAsync<FaultException>(() => instances.StopAsync("nobody"))).Faults[0].Code.ShouldBe("instance.unknown");
        (await Should.ThrowAsync<FaultException>(() => instances.DeleteAsync("nobody"))).Faults[0].Code.ShouldBe("instance.unknown");
    }

    [Fact]
    public void No_folder_is_left_half_made_where_nothing_may_be_written()
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder.File("instances"), "a file where a folder should be");
        Should.Throw<FaultException>(() => folder.Instance()).Faults[0].Code.ShouldBe("host.folder-not-writable");
    }
}

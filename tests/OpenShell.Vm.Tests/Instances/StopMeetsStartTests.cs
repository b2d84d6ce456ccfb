using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>A stop in the moment between a detached start and its supervisor's taking of the lock, in which nobody holds the instance.</summary>
public sealed class StopMeetsStartTests : IDisposable
{
    private static readonly InstanceConfig Config = new() { Name = "test", MemoryMib = 2048 };

    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    private InstanceFiles Files => InstanceFiles.For(_folder.Directories, InstanceName.Parse("test"));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_start_that_is_stopped_before_its_supervisor_has_the_instance_does_not_go_on_and_is_told(bool deleted)
    {
        var gate = _folder.File("gate");
        await File.WriteAllTextAsync(gate, "", Cancellation);
        var start = Instances.StartDetachedAsync(Config, [Dummy.Path, "supervise-later", _folder.Path, gate, "test"], cancellationToken: Cancellation);
        while (File.Exists(gate))
        {
            start.IsCompleted.ShouldBeFalse();
            await Task.Delay(5, Cancellation);
        }

        Requests().Length.ShouldBe(1);
        if (deleted)
            await Instances.DeleteAsync("test", cancellationToken: Cancellation);
        else
            await Instances.StopAsync("test", cancellationToken: Cancellation);

        await File.WriteAllTextAsync(gate, "", Cancellation);
        var fault = (await Should.ThrowAsync<FaultException>(() => start)).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("instance.stopped-meanwhile");
        if (deleted)
        {
            Directory.Exists(Files.Root).ShouldBeFalse();
            return;
        }

        Requests().ShouldBeEmpty();
        InstanceLock.HolderOf(Files).ShouldBeNull();
        File.Exists(Files.Fault).ShouldBeFalse();
        File.Exists(Files.Events).ShouldBeFalse();
        (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact]
    public async Task A_supervisor_whose_start_was_taken_back_ends_with_a_code_of_its_own_whether_or_not_somebody_has_the_instance()
    {
        var files = _folder.Instance("test");
        var request = files.StartRequest("1");

        (await Instances.SuperviseAsync("test", request)).ShouldBe(LocalInstances.TakenBack);
        using (InstanceLock.Acquire(files, "test"))
            (await Instances.SuperviseAsync("test", request)).ShouldBe(LocalInstances.TakenBack);

        InstanceLock.HolderOf(files).ShouldBeNull();
        File.Exists(files.Fault).ShouldBeFalse();
    }

    [Fact]
    public async Task A_supervisor_that_finds_another_in_its_place_leaves_nothing_of_its_start()
    {
        var files = _folder.Instance("test");
        var request = files.StartRequest("1");
        AtomicFile.WriteJson(request, Config, InstanceJson.Default.InstanceConfig, durable: false);

        using (InstanceLock.Acquire(files, "test"))
            (await Instances.SuperviseAsync("test", request)).ShouldBe(LocalInstances.NotOurs);

        Requests().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_start_that_cannot_be_read_is_told_and_removed()
    {
        var files = _folder.Instance("test");
        var request = files.StartRequest("1");
        await File.WriteAllTextAsync(request, "{ \"name\": \"te", Cancellation);

        (await Instances.SuperviseAsync("test", request)).ShouldBe(1);

        InstanceStore.ReadFaults(files).ShouldHaveSingleItem().Code.ShouldBe("instance.broken");
        Requests().ShouldBeEmpty();
        InstanceLock.HolderOf(files).ShouldBeNull();
    }

    private string[] Requests() => Directory.GetFiles(Files.Root, "start.*.json");
}

using System.Diagnostics;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>Starts that meet, and what a killed supervisor leaves, with supervisors that are processes and have no machine.</summary>
public sealed class SimultaneousStartTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_several_starts_at_one_instant_one_wins_with_its_own_configuration_and_the_others_say_why()
    {
        var starts = Enumerable.Range(1, 4).Select(vcpus => Task.Run(() => TryAsync(vcpus))).ToArray();
        var results = await Task.WhenAll(starts);
        var files = InstanceFiles.For(_folder.Directories, InstanceName.Parse("test"));
        var holder = InstanceLock.HolderOf(files).ShouldNotBeNull();
        try
        {
            var winner = results.Index().Single(r => r.Item is null).Index + 1;
            results.OfType<Fault>().ShouldAllBe(f => f.Code == "instance.running");
            (await Instances.ConfigAsync("test", Cancellation)).ShouldNotBeNull().Vcpus.ShouldBe(winner);
            (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Ready);
            File.Exists(files.Fault).ShouldBeFalse();
        }
        finally
        {
            await InstanceRemains.EndProcessesAsync(new InstanceStatus { Name = "test", Phase = InstancePhase.Ready, Processes = new Dictionary<string, ProcessIdentity> { ["it"] = holder } }, Cancellation);
        }
    }

    [Fact]
    public async Task What_a_killed_supervisor_left_is_named_and_ended_by_the_next_command()
    {
        foreach (var end in (Func<Task>[])[() => Instances.StopAsync("test", cancellationToken: Cancellation), () => Instances.ResetAsync("test", Cancellation), () => Instances.DeleteAsync("test", cancellationToken: Cancellation)])
        {
            var files = _folder.Instance("test");
            InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
            using var machine = Process.Start("/bin/sleep", ["1000"]);
            var identity = ProcessIdentities.Of(machine.Id).ShouldNotBeNull();
            InstanceStore.WriteStatus(files, new InstanceStatus
            {
                Name = "test",
                Phase = InstancePhase.Ready,
                Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = new(1, 1), ["vmm"] = identity },
            });

            var fault = (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Fault.ShouldNotBeNull();
            fault.Code.ShouldBe("instance.supervisor-lost");
            fault.What.ShouldContain($"vmm (pid {machine.Id})");

            await end();
            await machine.WaitForExitAsync(Cancellation);
            ProcessIdentities.IsAlive(identity).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task A_process_that_has_only_the_number_is_left_alone()
    {
        using var other = Process.Start("/bin/sleep", ["1000"]);
        var identity = ProcessIdentities.Of(other.Id).ShouldNotBeNull();
        var files = _folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
        InstanceStore.WriteStatus(files, new InstanceStatus
        {
            Name = "test",
            Phase = InstancePhase.Ready,
            Processes = new Dictionary<string, ProcessIdentity> { ["vmm"] = identity with { StartTime = identity.StartTime - 1 } },
        });

        (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Processes.ShouldBeEmpty();
        await Instances.StopAsync("test", cancellationToken: Cancellation);
        ProcessIdentities.Signal(identity with { StartTime = identity.StartTime + 1 }, Signals.Kill);

        ProcessIdentities.IsAlive(identity).ShouldBeTrue();
        ProcessIdentities.Signal(identity, Signals.Kill);
        await other.WaitForExitAsync(Cancellation);
    }

    [Fact]
    public async Task What_is_left_of_a_programs_machine_is_ended_by_the_next_one()
    {
        PrivateFolder.Ensure(_folder.Directories.Runtime);
        var left = InstanceFiles.Ephemeral(_folder.Directories, "1-1-abc");
        PrivateFolder.Ensure(left.Root);
        using var machine = Process.Start("/bin/sleep", ["1000"]);
        InstanceStore.WriteProcesses(left, [ProcessIdentities.Of(machine.Id)!]);

        var own = EphemeralFolders.Create(_folder.Directories);

        await machine.WaitForExitAsync(Cancellation);
        Directory.Exists(left.Root).ShouldBeFalse();
        EphemeralFolders.Create(_folder.Directories);
        Directory.Exists(own.Root).ShouldBeTrue();
    }

    private async Task<Fault?> TryAsync(int vcpus)
    {
        try
        {
            await Instances.StartDetachedAsync(new InstanceConfig { Name = "test", Vcpus = vcpus, MemoryMib = 2048 }, [Dummy.Path, "hold-instance", _folder.Path, "test"], cancellationToken: Cancellation);
            return null;
        }
        catch (FaultException e)
        {
            return e.Faults[0];
        }
    }
}

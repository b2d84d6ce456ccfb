using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>A command that works on an instance at rest is no supervisor, and is not taken for one.</summary>
public sealed class WorkedOnTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_shown_as_what_it_was_and_the_command_is_named_and_not_signalled()
    {
        var files = Make("dev");
        using var worker = Dummy.Start("hold-lock", _folder.Path, "dev", "disk compact");
        (await worker.LineAsync()).ShouldBe("held");
        try
        {
            (await Instances.ListAsync(Cancellation)).ShouldHaveSingleItem().Phase.ShouldBe(InstancePhase.Stopped);
            foreach (var attempt in (Func<Task>[])
                [
                    () => Instances.RunAsync(new InstanceConfig { Name = "dev", MemoryMib = 2048 }, cancellationToken: Cancellation),
                    () => Instances.StartDetachedAsync(new InstanceConfig { Name = "dev", MemoryMib = 2048 }, ["/bin/false"], cancellationToken: Cancellation),
                    () => Instances.StopAsync("dev", cancellationToken: Cancellation),
                    () => Instances.StopAsync("dev", force: true, Cancellation),
                    () => Instances.SuspendAsync("dev", Cancellation),
                    () => Instances.CloneAsync("dev", "twin", Cancellation),
                    () => Instances.ResetAsync("dev", Cancellation),
                    () => Instances.DeleteAsync("dev", cancellationToken: Cancellation),
                    () => Instances.ResizeDiskAsync("dev", 40, Cancellation),
                    () => Instances.AddPortAsync("dev", new PortForward { HostPort = 0, GuestPort = 80 }, Cancellation),
                ])
            {
                var fault = (await Should.ThrowAsync<FaultException>(attempt)).Faults[0];
                fault.Code.ShouldBe("instance.busy");
                fault.What.ShouldBe(string.Create(CultureInfo.InvariantCulture, $"Instance dev is being worked on by 'gateway disk compact' (pid {worker.Id})."));
                fault.Remedy.ShouldStartWith("Wait");
            }

            worker.HasExited.ShouldBeFalse();
            (await Instances.ConfigAsync("dev", Cancellation)).ShouldNotBeNull().DiskGib.ShouldBeNull();

            Directory.CreateDirectory(files.Snapshot);
            (await Instances.FindAsync("dev", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Suspended);
        }
        finally
        {
            worker.StandardInput.Close();
            await worker.WaitForExitAsync(Cancellation);
        }

        worker.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_command_is_just_replacing_is_not_shown_as_missing()
    {
        var files = Make("dev");
        await File.WriteAllTextAsync(files.StateDisk, "half of a disk", Cancellation);

        using (InstanceLock.Acquire(files, "dev", "disk compact"))
            (await Instances.FindAsync("dev", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
        (await Instances.FindAsync("dev", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Broken);
    }

    [Fact]
    public async Task Clones_of_one_source_and_stops_of_one_instance_wait_for_each_other()
    {
        var files = Make("dev");
        foreach (var (purpose, again) in ((string, Func<Task>)[])[("clone", () => Instances.CloneAsync("dev", "twin", Cancellation)), ("stop", () => Instances.StopAsync("dev", cancellationToken: Cancellation))])
        {
            var held = InstanceLock.Acquire(files, "dev", purpose);
            var waiting = again();
            waiting.IsCompleted.ShouldBeFalse(purpose);
            held.Dispose();
            await waiting;
        }

        (await Instances.FindAsync("twin", Cancellation)).ShouldNotBeNull().CloneOf.ShouldBe("dev");
        InstanceLock.HolderOf(files).ShouldBeNull();
    }

    [Fact]
    public void A_lock_file_of_before_purposes_and_boots_were_written_is_a_supervisors()
    {
        var files = Make("dev");
        var self = ProcessIdentities.Current;
        File.WriteAllText(files.Lock, string.Create(CultureInfo.InvariantCulture, $$"""{"process":{"pid":{{self.Pid}},"startTime":{{self.StartTime}}},"nonce":"{{Guid.NewGuid()}}"}"""));

        InstanceLock.SupervisorOf(files).ShouldBe(self with { Boot = null });
        InstanceLock.WorkerOf(files).ShouldBeNull();
        File.WriteAllText(files.Lock, JsonSerializer.Serialize(new LockHolder(self, Guid.NewGuid(), "clone"), InstanceJsonLines.Default.LockHolder));
        InstanceLock.SupervisorOf(files).ShouldBeNull();
        InstanceLock.WorkerOf(files).ShouldNotBeNull().Purpose.ShouldBe("clone");
        InstanceLock.HolderOf(files).ShouldBe(self);
    }

    private InstanceFiles Make(string name)
    {
        var files = _folder.Instance(name);
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = name, MemoryMib = 2048 });
        return files;
    }
}

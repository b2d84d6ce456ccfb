using System.Diagnostics;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>A process is told from every other that ever had its number, also over a boot of the host, from which start times count.</summary>
public sealed class ProcessIdentitiesTests : IDisposable
{
    private const string OtherBoot = "01234567-89ab-cdef-0123-456789abcdef";

    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_recorded_before_the_host_was_booted_is_dead_whoever_has_its_number_and_its_ticks()
    {
        var self = ProcessIdentities.Current;
        self.Boot.ShouldBe(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

        ProcessIdentities.IsAlive(self).ShouldBeTrue();
        ProcessIdentities.IsAlive(self with { Boot = OtherBoot }).ShouldBeFalse();
    }

    [Fact]
    public void A_record_of_an_older_version_is_told_by_number_and_start_time()
    {
        var old = ProcessIdentities.Current with { Boot = null };

        ProcessIdentities.IsAlive(old).ShouldBeTrue();
        ProcessIdentities.IsAlive(old with { StartTime = old.StartTime - 1 }).ShouldBeFalse();
    }

    [Fact]
    public async Task An_instance_that_ran_when_the_host_went_down_is_free_and_nobody_is_ended_for_it()
    {
        using var other = Process.Start("/bin/sleep", ["1000"]);
        try
        {
            var before = ProcessIdentities.Of(other.Id).ShouldNotBeNull() with { Boot = OtherBoot };
            var files = _folder.Instance("test");
            InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
            File.WriteAllText(files.Lock, System.Text.Json.JsonSerializer.Serialize(new LockHolder(before, Guid.NewGuid()), InstanceJsonLines.Default.LockHolder));
            InstanceStore.WriteStatus(files, new InstanceStatus { Name = "test", Phase = InstancePhase.Ready, Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = before, ["vmm"] = before } });
            var instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories });

            var status = (await instances.FindAsync("test", Cancellation)).ShouldNotBeNull();
            (status.Phase, status.Fault?.Code, status.Processes.Count).ShouldBe((InstancePhase.Failed, "instance.supervisor-lost", 0));
            InstanceLock.HolderOf(files).ShouldBeNull();
            await instances.StopAsync("test", force: true, Cancellation);
            ProcessIdentities.Signal(before, Signals.Kill);

            other.HasExited.ShouldBeFalse();
            (await instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
        }
        finally
        {
            other.Kill();
            await other.WaitForExitAsync(Cancellation);
        }
    }

    [Fact]
    public async Task An_instance_whose_machine_has_ended_is_not_ready_though_its_supervisor_has_not_noticed()
    {
        using var machine = Process.Start("/bin/sleep", ["1000"]);
        var vmm = ProcessIdentities.Of(machine.Id).ShouldNotBeNull();
        var files = _folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
        using var held = InstanceLock.Acquire(files, "test");
        InstanceStore.WriteStatus(files, new InstanceStatus { Name = "test", Phase = InstancePhase.Ready, Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = ProcessIdentities.Current, ["vmm"] = vmm } });
        var instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories });
        (await instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Ready);

        machine.Kill();
        await machine.WaitForExitAsync(Cancellation);

        var status = (await instances.ListAsync(Cancellation)).ShouldHaveSingleItem();
        (status.Phase, status.Fault?.Code).ShouldBe((InstancePhase.Stopping, "vmm.ended"));
        status.Fault!.What.ShouldContain($"(pid {vmm.Pid}) has ended; its supervisor (pid {Environment.ProcessId})");
        status.Processes.Keys.ShouldBe(["supervisor"]);
    }

    [Fact]
    public void A_folder_says_of_which_boot_its_maker_was()
    {
        var self = ProcessIdentities.Current;
        Owner(ProcessIdentities.ForName("abc")).ShouldBe(self);
        Owner($"{self.Pid}-{self.StartTime}-abc123").ShouldBe(self with { Boot = null });
        ProcessIdentities.IsAlive(Owner(ProcessIdentities.ForName("abc").Replace(self.Boot![..8], OtherBoot[..8], StringComparison.Ordinal)).ShouldNotBeNull()).ShouldBeFalse();
        Owner("1-x-abc").ShouldBeNull();

        static ProcessIdentity? Owner(string name) => name.Split('-') is [var pid, var start, var rest] ? ProcessIdentities.FromName(pid, start, rest) : null;
    }
}

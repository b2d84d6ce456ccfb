using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>What the machine said that was lost: the next takes its place, and must not take its words.</summary>
public sealed class LostConsolesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>On a host on which nothing can be started.</summary>
    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories, Host = Made.Host() with { Qemu = null, Gvproxy = null } });

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(InstancePhase.Failed, true)]
    [InlineData(InstancePhase.Ready, true)]
    [InlineData(InstancePhase.Stopped, false)]
    [InlineData(InstancePhase.Suspended, false)]
    public async Task The_console_of_a_machine_that_did_not_end_in_order_is_kept_by_the_next_start_whatever_the_policy(InstancePhase last, bool kept)
    {
        var files = _folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test", MemoryMib = 2048 });
        InstanceStore.WriteStatus(files, new InstanceStatus { Name = "test", Phase = last });
        await File.WriteAllTextAsync(files.ConsoleLog, "Kernel panic - not syncing\n", TestContext.Current.CancellationToken);

        await using var running = await Instances.RunAsync(new InstanceConfig { Name = "test" }, cancellationToken: TestContext.Current.CancellationToken);
        await Should.ThrowAsync<FaultException>(() => running.Completion);

        File.Exists(files.ConsoleLog).ShouldBe(!kept);
        File.Exists(files.ConsoleOfLost(1)).ShouldBe(kept);
        File.ReadAllText(kept ? files.ConsoleOfLost(1) : files.ConsoleLog).ShouldBe("Kernel panic - not syncing\n");
    }

    [Fact]
    public void The_last_are_kept_each_with_what_was_rotated_a_moment_before()
    {
        var files = _folder.Instance("test");
        foreach (var number in Enumerable.Range(1, LostConsoles.Kept + 1))
        {
            File.WriteAllText(files.ConsoleLog, $"end {number}\n");
            File.WriteAllText(LogRotation.PartOf(files.ConsoleLog, 1), $"before {number}\n");
            File.WriteAllText(LogRotation.PartOf(files.ConsoleLog, 2), "long ago\n");
            LostConsoles.Keep(files);
            File.Exists(files.ConsoleLog).ShouldBeFalse();
            LogRotation.Parts(files.ConsoleLog).ShouldBeEmpty();
        }

        Enumerable.Range(1, LostConsoles.Kept + 1).Select(files.ConsoleOfLost).Where(File.Exists).Select(File.ReadAllText).ShouldBe(["before 4\nend 4\n", "before 3\nend 3\n", "before 2\nend 2\n"]);
        LostConsoles.Keep(files);
        File.ReadAllText(files.ConsoleOfLost(1)).ShouldBe("before 4\nend 4\n");
    }
}

using OpenShell.Vm.Boot.Tests.Damage;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>An instance on a small file system of the host's that is full when its memory is to be saved, or is full in the midst of that.</summary>
[Collection(SuspendedMemories.Name)]
public sealed class NoRoomForMemoryTests(SuspendedFixture suspended) : IAsyncLifetime
{
    private const int SigCont = 18, SigStop = 19;

    /// <summary>What the machine gets for itself, so that writing it takes a while; what there is room for besides the instance; and what is less than is ever asked for.</summary>
    private const long Weight = 128 << 20, Room = 1280 << 20, TooLittle = 24 << 20;

    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    private readonly TestHome _home = new();
    private SuspendedCopy? _copy;
    private bool _mounted;

    private SuspendedCopy Copy => _copy!;

    private string BallastFile => Path.Combine(_home.Data, "ballast");

    public async ValueTask InitializeAsync()
    {
        await suspended.RequireAsync();
        var mount = await HostProgram.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={suspended.Bytes + Room},mode=700", "tmpfs", _home.Data], GatewayCli.Short);
        if (mount.ExitCode != 0)
            Assert.Skip("a file system cannot be mounted here, which takes root: " + mount.Err.Trim());
        _mounted = true;
        _copy = await suspended.CopyAsync(_home);
    }

    public async ValueTask DisposeAsync()
    {
        if (_copy is not null)
            await _copy.StopAsync();
        if (_mounted)
            (await HostProgram.RunAsync("umount", [_home.Data], GatewayCli.Short)).OrFail();
        _home.Dispose();
    }

    [Fact]
    public async Task A_machine_for_whose_memory_there_is_no_room_runs_on_and_is_suspended_when_there_is_some()
    {
        if (Copy.Snapshot.Read().Base is null)
            Assert.Skip("temporary files are on another file system than the image cache: a machine that does not lie over the golden image's memory is saved by QEMU itself");
        await Copy.ResumeAsync();
        await Copy.InGuestAsync($"dd if=/dev/zero of=/run/weight bs=1M count={Weight >> 20} status=none");

        // Before anything is written.
        await Ballast.LeaveAsync(BallastFile, TooLittle);
        var early = await SuspendAsync();
        File.Delete(BallastFile);
        early.ExitCode.ShouldBe(1, early.ToString());
        early.Err.ShouldContain($"{Copy.Files.Root} has ");
        early.Err.ShouldContain("the machine's memory may need ");
        early.Err.ShouldContain("It runs on.");
        early.Err.ShouldContain("remedy:");
        await RunsOnAsync();

        // In the midst: there was room when it was asked for.
        var events = new InstanceEvents(Copy.Gateway, SuspendedCopy.Name);
        var before = await events.CountAsync(EventNames.SuspendFailed);
        var suspending = SuspendAsync();
        await FillInTheMidstAsync(suspending);
        var late = await suspending;
        File.Delete(BallastFile);
        late.ExitCode.ShouldBe(1, late.ToString());
        late.Err.ShouldContain("No space left on device");
        late.Err.ShouldContain("remedy:");
        (await events.NextAsync(EventNames.SuspendFailed, before)).ShouldContain("could not be saved and runs on: No space left on device");
        await RunsOnAsync();

        (await SuspendAsync()).OrFail();
        (await Copy.StatusAsync()).GetProperty("phase").GetString().ShouldBe("suspended");
        await Copy.ResumeAsync();
        (await Copy.Gateway.RunAsync("stop", "--name", SuspendedCopy.Name, "--force")).OrFail();
        Leftovers.Of(_home).ShouldAllBe(left => left.StartsWith("mount ", StringComparison.Ordinal));
    }

    private Task<Finished> SuspendAsync() => Copy.Gateway.RunAsync("suspend", "--name", SuspendedCopy.Name);

    /// <summary>Its memory is in it, it answers, and of what could not be saved there is nothing.</summary>
    private async Task RunsOnAsync()
    {
        (await Copy.InGuestAsync($"cat {SuspendedCopy.InMemory}")).Trim().ShouldBe("remembered");
        (await Copy.StatusAsync()).GetProperty("phase").GetString().ShouldBe("ready");
        Directory.EnumerateFileSystemEntries(Copy.Files.Root, "memory*").ShouldBe([Copy.Files.MemoryBase]);
    }

    /// <summary>Holds the supervisor while it writes, and the machine is held by it, until there is no room any more.</summary>
    private async Task FillInTheMidstAsync(Task<Finished> suspending)
    {
        var pages = new FileInfo(Path.Combine(Copy.Snapshot.Aside, Snapshot.PagesName));
        var supervisor = InstanceStore.ReadStatus(Copy.Files)!.Processes[Roles.Supervisor];

        // By the millisecond: all of it takes some tenths of a second.
        while (!suspending.IsCompleted && (!pages.Exists || pages.Length == 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken);
            pages.Refresh();
        }

        ProcessIdentities.Signal(supervisor, SigStop);
        try
        {
            await Eventually.HoldsAsync("the supervisor is held", () => Task.FromResult(suspending.IsCompleted || StateOf(supervisor.Pid) == 'T'), Soon);
            suspending.IsCompleted.ShouldBeFalse(suspending.IsCompleted ? (await suspending).ToString() : "");
            pages.Refresh();
            pages.Exists.ShouldBeTrue();
            pages.Length.ShouldBeLessThan(Weight, "what was written of it when it was held");
            await Ballast.FillAsync(BallastFile);
        }
        finally
        {
            ProcessIdentities.Signal(supervisor, SigCont);
        }
    }

    /// <summary>Field 3 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.</summary>
    private static char StateOf(int pid) => File.ReadAllText($"/proc/{pid}/stat") is var stat ? stat[stat.LastIndexOf(')') + 2] : ' ';
}

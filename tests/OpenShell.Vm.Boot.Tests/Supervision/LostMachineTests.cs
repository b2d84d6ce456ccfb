using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Boot.Tests.Supervision;

/// <summary>What is said, and what is left, when a machine does not end as it should. With real ones, over the library.</summary>
public sealed class LostMachineTests : ProgramMachineTest
{
    private const int SigKill = 9;

    [Fact]
    public async Task A_killed_hypervisor_is_named_with_its_signal()
    {
        await using var machine = await SleeperAsync();
        LibC.Kill(await PidAsync("qemu-system"), SigKill).ShouldBe(0);
        var fault = (await Should.ThrowAsync<FaultException>(() => machine.Completion)).Faults[0];
        fault.Code.ShouldBe("vmm.ended");
        fault.What.ShouldContain("QEMU was ended by SIGKILL");
    }

    [Fact]
    public async Task A_guest_that_powers_itself_off_ends_its_program_first()
    {
        await using var machine = await SleeperAsync();
        await (await machine.Agent).PowerOffAsync(Cancellation);
        (await machine.Completion).ShouldBe(128 + LibC.SigTerm);
    }

    [Fact]
    public async Task A_kernel_panic_is_told_with_the_consoles_last_words()
    {
        await using var machine = await SleeperAsync();
        await using (var trigger = await (await machine.Agent).ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger"] }, Cancellation))
        {
            var fault = (await Should.ThrowAsync<FaultException>(() => machine.Completion)).Faults[0];
            fault.Code.ShouldBe("guest.panicked");
            fault.What.ShouldContain("Kernel panic - not syncing");
        }
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_program_leaves_nothing()
    {
        await using var machine = await SleeperAsync();
        await machine.StopAsync();
        (await machine.Completion).ShouldBe(0);
        Leftovers.Of(Home).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_the_boot_leaves_nothing()
    {
        var stages = new Stages();
        var machine = await Instances().RunAsync(Program, stages, Cancellation);
        await stages.ReachedAsync(BootStages.Kernel);
        await machine.StopAsync();
        (await machine.Completion).ShouldBe(0);
        machine.Ready.IsCanceled.ShouldBeTrue();
        Leftovers.Of(Home).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_guest_that_says_no_word_is_powered_on_again_and_its_consoles_are_kept()
    {
        // A cluster, since nothing of a program's VM is kept; on the program's image, since it never comes so far as to need more.
        var stages = new Stages();
        var instances = Instances(options => options with { HelloBudget = TimeSpan.FromMilliseconds(200), Images = new ProgramImages(new ImageBuilder(options.Directories)) });
        var machine = await instances.RunAsync(new InstanceConfig { Name = "hangs", MemoryMib = 2048 }, stages, Cancellation);
        var fault = (await Should.ThrowAsync<FaultException>(() => machine.Completion)).Faults[0];
        fault.Code.ShouldBe("guest.hang");
        fault.What.ShouldContain("3 times in a row");
        stages.Details(BootStages.Kernel).Count(d => d.Contains("powering it on again", StringComparison.Ordinal)).ShouldBe(2);

        var folder = Path.Combine(Home.Data, "openshell-vm", "instances", "hangs");
        Directory.GetFiles(folder, "console.*.log").Length.ShouldBe(3);
        var status = (await instances.FindAsync("hangs", Cancellation)).ShouldNotBeNull();
        status.Phase.ShouldBe(InstancePhase.Failed);
        status.Fault.ShouldNotBeNull().Code.ShouldBe("guest.hang");
        status.Processes.ShouldBeEmpty();

        await instances.DeleteAsync("hangs", cancellationToken: Cancellation);
        Directory.Exists(folder).ShouldBeFalse();
    }

    [Fact]
    public async Task A_start_that_takes_too_long_says_what_it_waited_for()
    {
        var machine = await Instances().RunAsync(Program with { Timeout = TimeSpan.FromMilliseconds(500) }, cancellationToken: Cancellation);
        var fault = (await Should.ThrowAsync<FaultException>(() => machine.Completion)).Faults[0];
        fault.Code.ShouldBe("instance.timeout");
        fault.What.ShouldMatch(@"waited for .+\.$");
        fault.Stage.ShouldNotBeNullOrEmpty();
        fault.Remedy.ShouldContain("--timeout");
    }

    /// <summary>Gives the program's image for everything.</summary>
    private sealed class ProgramImages(IImages images) : IImages
    {
        private static ImageRequest Instead(ImageRequest request) => request with { Mode = GuestMode.Exec, Distribution = null };

        public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => images.FindAsync(Instead(request), cancellationToken);

        public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
            images.EnsureAsync(Instead(request), progress, cancellationToken);

        public Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
            images.EnsureKernelAsync(architecture, refresh, progress, cancellationToken);

        public Task<IReadOnlyList<KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
            images.KernelsAsync(progress, cancellationToken);

        public Task<KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
            images.StockKernelAsync(progress, cancellationToken);

        public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => images.ListAsync(cancellationToken);

        public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => images.VerifyAsync(progress, cancellationToken);

        public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) => images.PruneAsync(request, cancellationToken);
    }

    /// <summary>Remembers what it is told.</summary>
    private sealed class Stages : IProgress<TimelineEvent>
    {
        private readonly List<TimelineEvent> _events = [];

        public void Report(TimelineEvent value)
        {
            lock (_events)
                _events.Add(value);
        }

        public Task ReachedAsync(string stage) => Eventually.HoldsAsync($"{stage} is reached", () =>
        {
            lock (_events)
                return Task.FromResult(_events.Any(e => e.Stage == stage));
        }, TimeSpan.FromMinutes(5));

        public IReadOnlyList<string> Details(string stage)
        {
            lock (_events)
                return [.. _events.Where(e => e.Stage == stage).Select(e => e.Detail ?? "")];
        }
    }
}

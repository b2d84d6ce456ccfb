using OpenShell.Vm.Planning;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Planning;

public sealed class KvmProbeTests
{
    [Theory]
    [InlineData(0.5, 0.5, true)]
    [InlineData(4, 0.5, true)]
    [InlineData(2500, 0.5, false)]
    [InlineData(11, 1, false)]
    public void KVM_is_usable_when_it_is_about_as_fast_as_the_host(double guest, double native, bool usable) =>
        new KvmMeasurement { GuestNanosecondsPerStep = guest, NativeNanosecondsPerStep = native }.ToFact().Usable.ShouldBe(usable);

    [Fact]
    public void What_could_not_be_measured_is_not_usable()
    {
        var fact = new KvmMeasurement { Error = "/dev/kvm cannot be opened: Permission denied" }.ToFact();
        fact.Usable.ShouldBeFalse();
        fact.Reason.ShouldContain("Permission denied");
    }

    [Fact]
    public async Task A_real_guest_loop_is_timed_in_a_child_process()
    {
        if (!File.Exists("/dev/kvm"))
            Assert.Skip("There is no /dev/kvm on this host.");
        var measured = (await KvmProbeChild.RunAsync([Dummy.Path, "kvm-probe"], TestContext.Current.CancellationToken)).ShouldNotBeNull();
        if (measured.Error is { } error)
            Assert.Skip($"/dev/kvm cannot be used here: {error}");

        // Faster than one step per cycle of any processor would mean that no guest code ran at all.
        measured.GuestNanosecondsPerStep.ShouldBeGreaterThan(0.05);
        measured.NativeNanosecondsPerStep.ShouldBeInRange(0.05, 100);
        TestContext.Current.TestOutputHelper?.WriteLine($"{measured}: {measured.ToFact().Reason}");
    }

    [Fact]
    public async Task A_probe_that_blocks_for_good_is_given_up()
    {
        var running = CapturedProcess.RunAsync(["/bin/sleep", "infinity"], TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        (await running.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task What_was_measured_once_is_remembered_until_the_next_boot()
    {
        using var folder = new TestFolder();
        if (!File.Exists("/dev/kvm"))
            Assert.Skip("There is no /dev/kvm on this host.");
        var first = await new HostProbe(folder.Directories, [Dummy.Path, "kvm-probe"]).ProbeAsync(TestContext.Current.CancellationToken);
        if (first.Accelerators[0].Reason.Contains("cannot", StringComparison.Ordinal))
            Assert.Skip($"/dev/kvm cannot be used here: {first.Accelerators[0].Reason}");

        // A probe command that cannot run shows that it was not asked again.
        var second = await new HostProbe(folder.Directories, ["/does/not/exist"]).ProbeAsync(TestContext.Current.CancellationToken);
        second.Accelerators.ShouldBe(first.Accelerators);

        File.WriteAllText(Path.Combine(folder.Directories.Cache, "host", "kvm.json"), """{"key": "another boot", "value": {"guestNanosecondsPerStep": 1, "nativeNanosecondsPerStep": 1}}""");
        var third = await new HostProbe(folder.Directories, ["/does/not/exist"]).ProbeAsync(TestContext.Current.CancellationToken);
        third.Accelerators[0].Usable.ShouldBeFalse();
    }

    [Fact]
    public async Task The_host_has_processors_and_memory()
    {
        using var folder = new TestFolder();
        var host = await new HostProbe(folder.Directories, null).ProbeAsync(TestContext.Current.CancellationToken);
        host.Cores.ShouldBeGreaterThan(0);
        host.MemoryMib.ShouldBeGreaterThan(256);
        host.Accelerators.ShouldContain(a => a.Accelerator == Accelerator.Tcg && a.Usable);
        if (host.Qemu is not null)
            host.QemuVersion.ShouldNotBeNull();
    }
}

using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class OwnMemoryTests
{
    [Fact]
    public void What_is_shared_with_a_file_does_not_count_and_what_was_swapped_out_does() => OwnMemory.In(
    [
        "559c7a1f4000-7ffd5c5b9000 ---p 00000000 00:00 0                          [rollup]",
        "Rss:              412340 kB",
        "Pss_Anon:          10000 kB",
        "Private_Dirty:     30208 kB",
        "Anonymous:         30120 kB",
        "AnonHugePages:      2048 kB",
        "Swap:                880 kB",
        "SwapPss:             880 kB",
    ]).ShouldBe(31000 << 10);

    [Fact]
    public void One_that_is_gone_or_tells_nothing_is_not_known()
    {
        OwnMemory.In([]).ShouldBeNull();
        OwnMemory.Of(int.MaxValue).ShouldBeNull();
    }

    [Fact]
    public void It_grows_by_what_a_process_writes_to()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "read from /proc");
        const int Much = 256 << 20;
        var before = OwnMemory.Of(Environment.ProcessId).ShouldNotBeNull();
        var written = GC.AllocateUninitializedArray<byte>(Much, pinned: true);
        written.AsSpan().Fill(1);

        // Other tests give back some of theirs meanwhile.
        OwnMemory.Of(Environment.ProcessId).ShouldNotBeNull().ShouldBeGreaterThan(before + (Much / 2));
        GC.KeepAlive(written);
    }
}

using OpenShell.Vm.Guest.Power;

namespace OpenShell.Vm.Guest.Tests.Power;

public sealed class UnmounterTests
{
    [Fact]
    public void What_was_mounted_last_is_unmounted_first_and_the_kernels_own_stay() => Unmounter.Plan("""
        21 1 254:0 / / ro - squashfs /dev/vda ro
        22 21 0:5 / /proc rw - proc proc rw
        23 21 0:20 / /run rw,nosuid shared:2 - tmpfs tmpfs rw
        24 21 254:16 / /var/lib/openshell rw,noatime shared:3 - ext4 /dev/vdb rw
        25 21 254:16 /root/mnt /mnt rw,noatime shared:3 - ext4 /dev/vdb rw
        26 24 0:31 / /var/lib/openshell/with\040blank rw - tmpfs tmpfs rw
        """).ShouldBe([new("/var/lib/openshell/with blank", "tmpfs"), new("/mnt", "ext4"), new("/var/lib/openshell", "ext4"), new("/run", "tmpfs")]);

    [Fact]
    public void A_signal_is_caught_when_its_bit_is_set()
    {
        const ulong Terminate = 1UL << 14;
        PodTerminator.Catches("SigIgn:\t0000000000001000\nSigCgt:\t0000000000004002\n", Terminate).ShouldBeTrue();
        PodTerminator.Catches("SigCgt:\t0000000000000002\n", Terminate).ShouldBeFalse();
        PodTerminator.Catches("", Terminate).ShouldBeFalse();
    }
}

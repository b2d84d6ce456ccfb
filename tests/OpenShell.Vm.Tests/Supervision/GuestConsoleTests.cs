using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class GuestConsoleTests
{
    [Fact]
    public void A_guest_that_gave_up_says_why() => GuestConsole.GaveUp(
    [
        "[    0.000000] Linux version 6.1.0",
        "[   1.204] openshell-init: module not loaded: virtio_blk",
        "[  31.207] openshell-init: FAULT guest.root-disk-missing: no disk with serial 'openshell-root' came within 30 s; disks: none. Check the hypervisor's disk arguments.",
        "[  31.208] openshell-init: OpenShell.Vm.Guest.GuestFaultException: no disk",
        "[   31.300000] reboot: Power down",
    ]).ShouldBe(("guest.root-disk-missing", "no disk with serial 'openshell-root' came within 30 s; disks: none. Check the hypervisor's disk arguments."));

    [Theory]
    [InlineData("[  31.207] openshell-init: FAULT services.ended in services/etcd: etcd exited with 1. It is started again.")]
    [InlineData("[  31.207] some program: FAULT guest.made-up: nothing.")]
    [InlineData("FAULT guest.made-up: nothing.")]
    public void A_stage_that_failed_or_another_program_is_not_the_end(string line) => GuestConsole.GaveUp([line]).ShouldBeNull();
}

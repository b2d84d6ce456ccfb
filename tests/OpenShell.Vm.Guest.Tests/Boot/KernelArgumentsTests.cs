using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Power;

namespace OpenShell.Vm.Guest.Tests.Boot;

public sealed class KernelArgumentsTests
{
    // As libkrun writes it for a folder: variables of its init quoted, its devices behind them, the arguments of the init at the end.
    private const string Libkrun = "reboot=k panic=-1 console=hvc0 quiet init=/init.krun KRUN_INIT=/sbin/openshell-init \"KRUN_INIT_PID1=1\" \"openshell.disks=openshell-state\" "
        + "virtio_mmio.device=4K@0xd0000000:5 -- \"in-directory\" openshell.disks=not-this\n";

    [Fact]
    public void Quotes_are_left_away_and_what_is_for_the_init_is_not_read()
    {
        var arguments = KernelArguments.Parse(Libkrun);
        KernelArguments.Value(arguments, "openshell.disks").ShouldBe("openshell-state");
        KernelArguments.Value(arguments, "KRUN_INIT_PID1").ShouldBe("1");
        KernelArguments.Value(arguments, "openshell").ShouldBeNull();
    }

    [Fact]
    public void A_machine_that_only_knows_a_reset_is_ended_by_one()
    {
        MachineEnd.CommandFor(KernelArguments.Parse(Libkrun)).ShouldBe(Linux.RebootRestart);
        MachineEnd.CommandFor(KernelArguments.Parse("console=ttyS0 quiet panic=-1")).ShouldBe(Linux.RebootPowerOff);
    }
}

using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Power;

public sealed class LastResortTests
{
    /// <summary>As the host's <c>GuestConsole</c> looks for it.</summary>
    [Fact]
    public void Its_line_is_the_one_that_the_host_looks_for() =>
        LastResort.Words(new GuestFault("guest.root-image-unknown", "/dev/vda is no image.", "Rebuild it.")).ShouldBe("FAULT guest.root-image-unknown: /dev/vda is no image. Rebuild it.");
}

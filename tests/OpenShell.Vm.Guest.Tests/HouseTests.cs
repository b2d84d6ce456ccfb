namespace OpenShell.Vm.Guest.Tests;

public sealed class HouseTests
{
    [Fact]
    public void The_assembly_under_test_has_its_name() => typeof(OpenShell.Vm.Protocol.GuestPaths).Assembly.GetName().Name.ShouldNotBeNull();
}

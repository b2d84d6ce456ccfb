namespace OpenShell.Vm.Protocol.Tests;

public sealed class HouseTests
{
    [Fact]
    public void The_assembly_under_test_has_its_name() => typeof(GuestPaths).Assembly.GetName().Name.ShouldNotBeNull();
}

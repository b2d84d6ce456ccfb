using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class SupervisorSettingsTests
{
    [Fact]
    public void What_the_user_set_stays_and_the_rest_is_added()
    {
        var environment = SupervisorSettings.Over(new Dictionary<string, string> { ["HOME"] = "/home/me", ["DOTNET_GCgen0size"] = "4000000" });

        environment["HOME"].ShouldBe("/home/me");
        environment["DOTNET_GCgen0size"].ShouldBe("4000000");
        environment["DOTNET_EnableWriteXorExecute"].ShouldBe("0");
    }
}

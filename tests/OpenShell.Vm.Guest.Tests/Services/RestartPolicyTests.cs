using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Tests.Services;

public sealed class RestartPolicyTests
{
    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(2, 0.5)]
    [InlineData(3, 1)]
    [InlineData(7, 16)]
    [InlineData(8, 30)]
    [InlineData(1000, 30)]
    [InlineData(int.MaxValue, 30)]
    public void The_pause_doubles_up_to_a_limit(int failures, double seconds) => new RestartPolicy().PauseAfter(failures).TotalSeconds.ShouldBe(seconds);
}

namespace OpenShell.Gateway.Cli.Tests;

public sealed class HelpTests : IDisposable
{
    private readonly Harness _harness = new();

    [Fact]
    public async Task Help_lists_every_command_and_none_of_the_hidden_ones()
    {
        var result = await _harness.GatewayAsync("--help");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldBeEmpty();
        foreach (var command in new[] { "up", "exec", "status", "list", "logs", "events", "cp", "port", "stop", "delete", "kubeconfig", "image", "kernel", "bundle", "plan", "timeline", "doctor", "setup", "restart", "edit", "reset", "clone", "disk", "service", "uninstall", "support-bundle", "completion", "man" })
            result.Out.ShouldContain($"\n  {command} ");
        result.Out.ShouldNotContain("__");
    }

    [Theory]
    [InlineData("up")]
    [InlineData("exec")]
    [InlineData("logs")]
    [InlineData("events")]
    [InlineData("cp")]
    [InlineData("port", "add")]
    [InlineData("port", "remove")]
    [InlineData("port", "list")]
    [InlineData("image", "build")]
    [InlineData("image", "sbom")]
    [InlineData("bundle", "create")]
    [InlineData("bundle", "verify")]
    [InlineData("bundle", "sbom")]
    [InlineData("kernel", "build")]
    [InlineData("kernel", "check")]
    [InlineData("edit")]
    [InlineData("clone")]
    [InlineData("disk", "resize")]
    [InlineData("service", "install")]
    [InlineData("uninstall")]
    [InlineData("doctor")]
    [InlineData("support-bundle")]
    [InlineData("completion")]
    public async Task Every_command_explains_itself(params string[] command)
    {
        var result = await _harness.GatewayAsync([.. command, "--help"]);

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldContain($"gateway {string.Join(' ', command)} ");
        result.Out.ShouldContain("Options:");
    }

    [Fact]
    public async Task The_version_is_that_of_the_assembly()
    {
        var result = await _harness.GatewayAsync("--version");

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldMatch(@"^gateway \d+\.\d+\.\d+\n$");
    }

    public void Dispose() => _harness.Dispose();
}

using System.Text.RegularExpressions;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.LoginServices;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>What a service manager would do with the unit of <c>gateway service install</c>: its command, with its environment and no other. On a suspended instance, whose start is short.</summary>
public sealed partial class LoginServiceTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private const string Name = "service";
    private const int SigTerm = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public async ValueTask InitializeAsync() => await golden.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_units_command_starts_the_instance_and_ends_it_in_order()
    {
        await golden.ResumeAsync(Name);
        (await golden.Gateway.RunAsync("suspend", "--name", Name)).OrFail();
        (await golden.Gateway.RunAsync("service", "install", "--name", Name)).OrFail();
        var unit = await File.ReadAllTextAsync(new LoginService(golden.Home.Home, golden.Home.Config, launchd: false).FileOf(Name), TestContext.Current.CancellationToken);
        var command = Words(Regex.Match(unit, "^ExecStart=(.+)$", RegexOptions.Multiline).Groups[1].Value);
        var environment = Regex.Matches(unit, "^Environment=(.+)$", RegexOptions.Multiline).Select(match => Words(match.Groups[1].Value).Single());
        string[] line = ["-i", "PATH=/usr/local/bin:/usr/bin:/bin", .. environment, .. command];

        using var service = HostProgram.Start("env", line);
        var ended = HostProgram.EndAsync(service, Patience);
        await Eventually.HoldsAsync("it is ready", async () => ended.IsCompleted || (await golden.StatusAsync(Name)).GetProperty("phase").GetString() == "ready", Patience);
        ended.IsCompleted.ShouldBeFalse(ended.IsCompleted ? (await ended).ToString() : "");
        (await golden.InGuestAsync(Name, "echo there")).Trim().ShouldBe("there");

        // One that is started by hand too is none of the service's.
        (await HostProgram.RunAsync("env", line, Patience)).ExitCode.ShouldBe(LocalInstances.NotOurs);
        (await golden.StatusAsync(Name)).GetProperty("phase").GetString().ShouldBe("ready");

        ProcessIdentities.Signal(ProcessIdentities.Of(service.Id).ShouldNotBeNull(), SigTerm);
        (await ended).ExitCode.ShouldBe(0);
        (await golden.StatusAsync(Name)).GetProperty("phase").GetString().ShouldBe("stopped");
        Leftovers.Of(golden.Home).ShouldBeEmpty();
        (await golden.Gateway.RunAsync("service", "remove", "--name", Name)).OrFail();
    }

    /// <summary>A line of a unit, as systemd splits it; nothing here has a specifier or a variable in it.</summary>
    private static string[] Words(string line) => [.. Word().Matches(line).Select(match => match.Groups["quoted"].Success ? match.Groups["quoted"].Value.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal) : match.Value)];

    [GeneratedRegex("""\"(?<quoted>(?:[^"\\]|\\.)*)\"|\S+""")]
    private static partial Regex Word();
}

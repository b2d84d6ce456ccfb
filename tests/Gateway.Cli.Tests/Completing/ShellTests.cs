using System.Text.Json;
using OpenShell.Tests;

namespace OpenShell.Gateway.Cli.Tests.Completing;

/// <summary>The real shells with the real scripts, typed into on a terminal.</summary>
public sealed class ShellTests : IDisposable
{
    /// <summary>Control-U: what was typed is taken away.</summary>
    private const string Clear = "\u0015";

    private readonly Harness _harness = new();

    public ShellTests()
    {
        foreach (var name in (string[])["work", "play"])
            Directory.CreateDirectory(Path.Combine(_harness.Home, ".local/share/openshell-vm/instances", name));
        Directory.CreateDirectory(Path.Combine(_harness.Home, "somewhere"));
        File.WriteAllText(Path.Combine(_harness.Home, "some.tar"), "");
    }

    public void Dispose() => _harness.Dispose();

    [Fact(Timeout = 300_000)]
    public Task Bash_completes_commands_options_values_names_and_files() => TypeAsync(
        ["bash", "--norc", "--noprofile", "-i"],
        ("source <(gateway completion bash); echo rea''dy\n", "\nready"),
        ("gateway stat\t", "gateway status $"),
        (Clear + "gateway image ver\t", "verify $"),
        (Clear + "gateway doctor --f\t", "--fix $"),
        (Clear + "gateway up --hypervisor lib\t", "libkrun $"),
        (Clear + "gateway up --hypervisor=lib\t", "=libkrun $"),
        (Clear + "gateway status --name wo\t", "work $"),
        (Clear + "gateway status --name=wo\t", "=work $"),
        (Clear + "gateway cp wo\t", "work:$"),
        (Clear + "gateway image load some.\t", "some.tar $"),
        (Clear + "gateway up --rootfs some\t", "somewhere/$"),
        (Clear + "gateway status --name \t\t", "play +work"));

    [Fact(Timeout = 300_000)]
    public Task Zsh_completes_commands_options_values_names_and_files() => TypeAsync(
        ["zsh", "-f", "-i"],
        ("autoload -U compinit; compinit -D -u; source <(gateway completion zsh); echo rea''dy\n", "\nready"),
        ("gateway stat\t", "gateway status "),
        (Clear + "gateway image \t", "verify +-- Hash every file"),
        (Clear + "gateway doctor --f\t", "--fix "),
        (Clear + "gateway up --hypervisor lib\t", "libkrun "),
        (Clear + "gateway status --name wo\t", "work "),
        (Clear + "gateway status --name=wo\t", "=work "),
        (Clear + "gateway cp wo\t", "work:"),
        (Clear + "gateway image load some.\t", "some.tar "),
        (Clear + "gateway up --rootfs some\t", "somewhere/"));

    [Theory(Timeout = 300_000)]
    [InlineData("gateway stat", "status")]
    [InlineData("gateway image v", "verify")]
    [InlineData("gateway doctor --f", "--fix")]
    [InlineData("gateway up --hypervisor ", "auto libkrun qemu")]
    [InlineData("gateway status --name ", "play work")]
    [InlineData("gateway status --name=wo", "--name=work")]
    [InlineData("gateway cp wo", "work:")]
    [InlineData("gateway image load some.", "some.tar")]
    [InlineData("gateway up --rootfs some", "somewhere/")]
    public async Task Fish_completes_commands_options_values_names_and_files(string line, string expected)
    {
        SkipUnlessThereIs("fish");
        var result = await _harness.RunAsync("fish", ["--no-config", "-c", "gateway completion fish | source; complete -C $argv[1]", line], environment: OwnPath);

        result.ExitCode.ShouldBe(0, result.Error);
        result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')[0]).ShouldBe(expected.Split(' '));
    }

    [Fact]
    public async Task For_another_shell_there_is_none()
    {
        var result = await _harness.GatewayAsync("completion", "tcsh");

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain("bash, zsh, fish");
    }

    private async Task TypeAsync(string[] shell, params (string Typed, string Expected)[] steps)
    {
        SkipUnlessThereIs(shell[0]);
        if (!File.Exists(Python.Path))
            Assert.Skip($"{Python.Path} is missing (package python3)");
        var script = Path.Combine(AppContext.BaseDirectory, "type-in-shell.py");
        var result = await _harness.RunAsync(
            Python.Path,
            [script, JsonSerializer.Serialize(shell), JsonSerializer.Serialize(steps.Select(s => new[] { s.Typed, s.Expected }))],
            environment: e =>
            {
                OwnPath(e);
                e["TERM"] = "dumb";
                e["INPUTRC"] = "/dev/null";
            });

        result.ExitCode.ShouldBe(0, result.Out + result.Error);
    }

    private static void OwnPath(IDictionary<string, string?> environment) => environment["PATH"] = $"{AppContext.BaseDirectory}:{environment["PATH"]}";

    private static void SkipUnlessThereIs(string program)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            Assert.Skip($"{program} is missing (package {program})");
    }
}

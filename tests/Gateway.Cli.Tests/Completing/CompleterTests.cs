namespace OpenShell.Gateway.Cli.Tests.Completing;

/// <summary>What the command answers a shell; the shells themselves are in <see cref="ShellTests"/>.</summary>
public sealed class CompleterTests : IDisposable
{
    private readonly Harness _harness = new();

    public CompleterTests()
    {
        foreach (var name in (string[])["work", "play"])
            Directory.CreateDirectory(Path.Combine(_harness.Home, ".local/share/openshell-vm/instances", name));
    }

    public void Dispose() => _harness.Dispose();

    [Theory]
    [InlineData("st", "status stop", ":none")]
    [InlineData("image v", "verify", ":none")]
    [InlineData("up --hypervisor |", "auto libkrun qemu", ":none")]
    [InlineData("up --hypervisor=q", "--hypervisor=qemu", ":none")]
    [InlineData("--distribution |", "auto k3s upstream", ":none")]
    [InlineData("list -o |", "json text", ":none")]
    [InlineData("status --name |", "play work", ":none")]
    [InlineData("-v status -q --name w", "work", ":none")]
    [InlineData("clone |", "play work", ":none")]
    [InlineData("clone work |", "", ":none")]
    [InlineData("cp w", "work:", ":files")]
    [InlineData("cp work:/etc/hosts p", "play:", ":files")]
    [InlineData("completion |", "bash fish zsh", ":none")]
    [InlineData("up --kernel |", "custom debian", ":files")]
    [InlineData("up --rootfs |", "", ":folders")]
    [InlineData("up --bundle |", "", ":files")]
    [InlineData("bundle verify |", "", ":files")]
    [InlineData("image load a.tar |", "", ":files")]
    [InlineData("logs --source sup", "supervisor", ":none")]
    [InlineData("exec -- st", "", ":files")]
    [InlineData("--exec /bin/ls --args --hyper", "", ":files")]
    [InlineData("nothing of the kind", "", ":none")]
    public async Task A_word_is_completed_by_where_it_stands(string line, string expected, string files)
    {
        var (words, kind) = await CompleteAsync([.. line.Split(' ').Select(w => w == "|" ? "" : w)]);

        words.Select(w => w.Value).ShouldBe(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        kind.ShouldBe(files);
    }

    [Fact]
    public async Task Commands_and_options_come_with_what_they_are_and_hidden_ones_do_not_come()
    {
        var (commands, _) = await CompleteAsync("");
        commands.ShouldContain(c => c.Value == "doctor" && c.Description.StartsWith("Check whether this machine", StringComparison.Ordinal));
        commands.ShouldNotContain(c => c.Value.StartsWith("__", StringComparison.Ordinal));

        var (options, _) = await CompleteAsync("doctor", "-");
        options.Select(o => o.Value).ShouldBe(["--fix", "--help", "--output", "--quiet", "--verbose", "-?", "-h", "-o", "-q", "-v"]);
        options.ShouldAllBe(o => o.Description.Length > 0);
    }

    [Fact]
    public async Task An_option_that_was_given_is_not_offered_again_unless_it_may_be_repeated()
    {
        var (options, _) = await CompleteAsync("up", "--name", "work", "-p", "8080:80", "--");

        options.ShouldNotContain(o => o.Value == "--name");
        options.ShouldContain(o => o.Value == "--publish");
    }

    [Fact]
    public async Task Every_command_in_the_help_is_completed()
    {
        var help = (await _harness.GatewayAsync("--help")).Out;
        var (commands, _) = await CompleteAsync("");

        foreach (var command in commands)
            help.ShouldContain($"\n  {command.Value} ");
        help[help.IndexOf("Commands:", StringComparison.Ordinal)..].Split('\n').Count(l => l.StartsWith("  ", StringComparison.Ordinal) && l.Length > 2 && l[2] != ' ').ShouldBe(commands.Count);
    }

    [Fact]
    public async Task Where_there_are_no_folders_there_are_no_names()
    {
        Directory.Delete(Path.Combine(_harness.Home, ".local"), recursive: true);

        var (words, _) = await CompleteAsync("status", "--name", "");

        words.ShouldBeEmpty();
        Directory.Exists(Path.Combine(_harness.Home, ".local")).ShouldBeFalse();
    }

    private async Task<(IReadOnlyList<(string Value, string Description)> Words, string Files)> CompleteAsync(params string[] words)
    {
        var result = await _harness.GatewayAsync(["__complete", "--", .. words]);
        result.ExitCode.ShouldBe(0, result.Error);
        result.Error.ShouldBeEmpty();
        var lines = result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return ([.. lines[..^1].Select(l => (l.Split('\t')[0], l.Contains('\t', StringComparison.Ordinal) ? l.Split('\t')[1] : ""))], lines[^1]);
    }
}

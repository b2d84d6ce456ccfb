using System.Text.RegularExpressions;
using OpenShell.Gateway.Cli.Manual;

namespace OpenShell.Gateway.Cli.Tests.Manual;

/// <summary>The manual page as the real formatters read it.</summary>
public sealed partial class ManualPageTests : IDisposable
{
    private readonly Harness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task Man_has_no_warnings()
    {
        SkipUnlessThereIs("man", "man-db");
        var page = await PageAsync();

        var result = await _harness.RunAsync("man", ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], environment: e => e["MANWIDTH"] = "120");

        (result.ExitCode, result.Error).ShouldBe((0, ""));
        var text = Overstrike().Replace(result.Out, "");
        foreach (var line in (string[])["gateway image build", "gateway support-bundle", "--fix", "--hypervisor NAME", "EXIT STATUS", "gateway port add FORWARD"])
            text.ShouldContain(line);
        text.ShouldNotContain("__");
    }

    [Fact]
    public async Task Mandoc_finds_nothing()
    {
        SkipUnlessThereIs("mandoc", "mandoc");

        var result = await _harness.RunAsync("mandoc", ["-T", "lint", "-W", "warning", await PageAsync()]);

        (result.ExitCode, result.Out, result.Error).ShouldBe((0, "", ""));
    }

    [Fact]
    public async Task Every_option_of_the_help_is_in_it()
    {
        var page = await File.ReadAllTextAsync(await PageAsync(), TestContext.Current.CancellationToken);
        foreach (var command in (string[])["up", "exec", "logs", "cp", "disk resize", "image build", "doctor", "support-bundle"])
        {
            var help = (await _harness.GatewayAsync([.. command.Split(' '), "--help"])).Out;
            var options = LongOption().Matches(help).Select(m => m.Value).ToList();
            options.ShouldNotBeEmpty(command);
            foreach (var option in options)
                page.ShouldContain(Roff.Escape(option), Case.Sensitive, command);
        }
    }

    [Theory]
    [InlineData(".TH is no request", "\\&.TH is no request\n")]
    [InlineData("'tis", "\\(aqtis\n")]
    [InlineData("a\\b --fix", "a\\eb \\-\\-fix\n")]
    [InlineData("One. Two.", "One.\nTwo.\n")]
    public void No_text_is_taken_for_a_request(string text, string roff) => new Roff().Text(text).ToString().ShouldBe(roff);

    private async Task<string> PageAsync()
    {
        var result = await _harness.GatewayAsync("man");
        (result.ExitCode, result.Error).ShouldBe((0, ""));
        var path = Path.Combine(_harness.Home, "gateway.1");
        await File.WriteAllTextAsync(path, result.Out, TestContext.Current.CancellationToken);
        return path;
    }

    private static void SkipUnlessThereIs(string program, string package)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            Assert.Skip($"{program} is missing (package {package})");
    }

    [GeneratedRegex(".\b")]
    private static partial Regex Overstrike();

    [GeneratedRegex("(?<= )--[a-z][a-z-]+")]
    private static partial Regex LongOption();
}

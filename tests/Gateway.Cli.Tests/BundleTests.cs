namespace OpenShell.Gateway.Cli.Tests;

/// <summary>The real command on files that are no bundles, and a start from one on a host that lacks something.</summary>
public sealed class BundleTests : IDisposable
{
    private readonly Harness _harness = new();

    [Theory]
    [InlineData("bundle", "verify")]
    [InlineData("bundle", "sbom")]
    [InlineData("up", "--bundle")]
    public async Task A_file_that_is_no_bundle_is_refused_and_nothing_is_changed(params string[] command)
    {
        var file = Path.Combine(_harness.Home, "some.bundle");
        await File.WriteAllTextAsync(file, new string('x', 3000), TestContext.Current.CancellationToken);

        var result = await _harness.DummyAsync([.. command, file]);

        result.ExitCode.ShouldBe(1, result.Error);
        result.Error.ShouldContain($"{file} cannot be read as a bundle: it is no tar.");
        result.Error.ShouldContain("gateway bundle create");
        Directory.EnumerateFileSystemEntries(_harness.Home).ShouldBe([file]);
    }

    [Fact]
    public async Task A_start_from_a_bundle_names_what_the_host_lacks_and_does_not_try_to_fetch_it()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["up", "--bundle", "some.bundle"], environment: e => e["DUMMY_MISSING"] = "qemu-system-x86 qemu-utils");

        result.ExitCode.ShouldBe(1, result.Error);
        result.Error.ShouldContain("This host lacks the package qemu-system-x86, which runs the machine. A bundle does not bring it.");
        result.Error.ShouldContain("This host lacks the package qemu-utils");
        result.Error.ShouldNotContain("Packages can only be installed by root.");
        _harness.JournalText.ShouldBeEmpty();
    }

    public void Dispose() => _harness.Dispose();
}

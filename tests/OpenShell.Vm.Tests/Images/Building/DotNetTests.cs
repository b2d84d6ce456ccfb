using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Images.Building;

/// <summary>The real SDK, on projects that it cannot build.</summary>
public sealed class DotNetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_build_that_fails_says_why_though_the_SDK_tells_its_errors_on_stdout()
    {
        _folder.Write("source/OpenShell.Vm.slnx", "");
        _folder.Write("source/src/Broken/Broken.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>""");
        var context = await ContextAsync();

        var failed = await Should.ThrowAsync<ToolFailedException>(
            () => DotNet.PublishNativeAsync(context, "src/Broken", ["src/Broken"], _folder.File("out"), Cancellation));

        failed.ExitCode.ShouldNotBe(0);
        failed.LastLines.ShouldContain(line => line.Contains("error MSB4025", StringComparison.Ordinal));
        failed.Message.ShouldContain("Broken.csproj");
        (await File.ReadAllTextAsync(context.Tools.LogFile, Cancellation)).ShouldContain("error MSB4025");
    }

    private async Task<BuildContext> ContextAsync()
    {
        var layout = new CacheLayout(_folder.File("cache"));
        var facts = new RecipeFacts(new SourceTree(_folder.File("source")), "amd64");
        var locks = new Locks(layout);
        await locks.WriteAsync(facts, new ToolchainLock { Framework = "net10.0", Sdk = "10.0", Reason = "a test" }, Cancellation);
        return new BuildContext(layout, facts, locks, new Dictionary<string, ArtifactRecord>())
        {
            Folder = _folder.File("made"),
            Tools = new Tools(_folder.File("log")),
            Progress = new StepReporter("guest", "guest", null),
        };
    }
}

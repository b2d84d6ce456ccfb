using System.Net;
using System.Net.Http.Json;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Testing;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>The library for tests, as its users have it. What it bakes stays in the cache, for the next run and for everybody else.</summary>
public sealed class TestClusterTests : IAsyncLifetime
{
    /// <summary>A bake on a busy machine, and what comes after it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private readonly TestHome _home = new(golden: true);
    private readonly List<string> _said = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
    }

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Two_at_once_are_two_clusters_and_leave_nothing()
    {
        var both = await Task.WhenAll(TestCluster.StartAsync(Options, Cancelled), TestCluster.StartAsync(Options, Cancelled));
        await using (var first = both[0])
        await using (var second = both[1])
        {
            first.BootedBecause.ShouldBeNull();
            second.BootedBecause.ShouldBeNull();
            first.Name.ShouldNotBe(second.Name);
            first.Api.BaseAddress.ShouldNotBe(second.Api.BaseAddress);
            (await File.ReadAllTextAsync(first.Mtls.Authority, Cancelled)).ShouldNotBe(await File.ReadAllTextAsync(second.Mtls.Authority, Cancelled));

            using var made = await first.Api.PostAsJsonAsync("/api/v1/namespaces", new { apiVersion = "v1", kind = "Namespace", metadata = new { name = "mine" } }, Cancelled);
            made.StatusCode.ShouldBe(HttpStatusCode.Created);
            using var elsewhere = await second.Api.GetAsync(new Uri("/api/v1/namespaces/mine", UriKind.Relative), Cancelled);
            elsewhere.StatusCode.ShouldBe(HttpStatusCode.NotFound);

            (await first.ExecAsync("cat", "/etc/machine-id")).EnsureSuccess().Stdout.ShouldNotBe((await second.ExecAsync("cat", "/etc/machine-id")).EnsureSuccess().Stdout);
            (await first.ExecAsync("sh", "-c", "exit 3")).ExitCode.ShouldBe(3);
        }

        (await Instances.ListAsync(Cancelled)).ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_nothing()
    {
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        // A boot: there is time to be in the middle of it.
        var starting = TestCluster.StartAsync(Options with { Configure = config => config with { MemoryMib = 2500 }, Bakes = false }, impatient.Token);
        await Eventually.HoldsAsync("the machine runs", async () => (await Instances.ListAsync(Cancelled)).Any(status => status.Processes.ContainsKey("vmm")), TimeSpan.FromMinutes(3));
        await impatient.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(starting);
        _said.ShouldContain(line => line.Contains("boots", StringComparison.Ordinal) && line.Contains("no golden image", StringComparison.Ordinal));
        (await Instances.ListAsync(Cancelled)).ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_example_runs_as_its_reader_would_run_it_and_touches_nothing_of_theirs()
    {
        Requirements.SkipUnlessFull("a golden image of the library's own defaults takes another boot: './test --full' bakes it");
        var run = await HostProgram.RunAsync(Example, ["-noLogo", "-noColor"], Limit, _home.Environment);

        run.OrFail().ShouldContain("Total: 5, Errors: 0, Failed: 0, Skipped: 0");
        Directory.EnumerateFileSystemEntries(_home.Root, "*", SearchOption.AllDirectories).Where(File.Exists).ShouldBeEmpty();
    }

    private LocalInstances Instances => new(new InstancesOptions { Directories = _home.Directories });

    /// <summary>Of the same shape as the other tests' copies (<see cref="GoldenFixture.Shape"/>), and so of the same image.</summary>
    private TestClusterOptions Options => new() { Vcpus = 2, MemoryMib = 3072, Configure = config => config with { Distribution = "upstream" }, Directories = _home.Directories, UsesGolden = true, Log = line => { lock (_said) _said.Add(line); } };

    private static string Example => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../OpenShell.Vm.Testing.Example/debug/OpenShell.Vm.Testing.Example"));
}

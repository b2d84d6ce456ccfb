using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Images.Building;

public sealed class BuildSessionTests
{
    private static readonly ImageRequest Cluster = new() { Mode = GuestMode.Cluster };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_builders_at_once_build_once_and_the_second_says_for_whom_it_waits()
    {
        var (began, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var images = new ImageFixture(TestRecipe.Set(async (_, token) =>
        {
            began.TrySetResult();
            await go.Task.WaitAsync(token);
        }));
        var first = images.Builder().EnsureAsync(Cluster, null, Token);
        await began.Task.WaitAsync(Token);
        var reports = new Reports();
        var second = images.Builder().EnsureAsync(Cluster, reports, Token);
        while (!reports.All.Any(r => r.State == BuildState.Waiting))
            await Task.Delay(20, Token);

        go.SetResult();

        (await second).ShouldBe(await first);
        images.Recipes.ShouldAllBe(r => r.Builds <= 1);
        reports.All.First(r => r.State == BuildState.Waiting).Detail.ShouldNotBeNull().ShouldContain($"process {Environment.ProcessId}");
    }

    [Fact]
    public async Task Cancelling_leaves_nothing_half_built()
    {
        using var cancelled = new CancellationTokenSource();
        using var images = new ImageFixture(TestRecipe.Set(async (context, token) =>
        {
            await File.WriteAllTextAsync(context.Output("half"), "half", CancellationToken.None);
            await File.WriteAllTextAsync(Path.Combine(context.Scratch("unpacked"), "more"), "half", CancellationToken.None);
            await cancelled.CancelAsync();
            token.ThrowIfCancellationRequested();
        }));

        await Should.ThrowAsync<OperationCanceledException>(() => images.Builder().EnsureAsync(Cluster, null, cancelled.Token));

        Directory.EnumerateFileSystemEntries(images.Layout.Building).ShouldBeEmpty();
        Directory.Exists(images.Layout.Artifacts).ShouldBeFalse();
        (await images.Builder().FindAsync(Cluster, Token)).ShouldBeNull();
    }

    [Fact]
    public async Task A_cancelled_tool_ends_before_the_build_does()
    {
        using var cancelled = new CancellationTokenSource();
        var pid = 0;
        using var images = new ImageFixture(TestRecipe.Set((context, token) => context.Tools.RunAsync(
            new ToolCommand { Program = "sh", Arguments = ["-c", "echo $$ >&2; exec sleep 600"] },
            token,
            line =>
            {
                pid = int.Parse(line, System.Globalization.CultureInfo.InvariantCulture);
                cancelled.Cancel();
            })));

        await Should.ThrowAsync<OperationCanceledException>(() => images.Builder().EnsureAsync(Cluster, null, cancelled.Token));

        Directory.Exists($"/proc/{pid}").ShouldBeFalse();
    }

    [Fact]
    public async Task A_failing_tool_is_a_fault_with_its_last_words_and_its_log()
    {
        using var images = new ImageFixture(TestRecipe.Set((context, token) =>
            context.Tools.RunAsync(new ToolCommand { Program = "sh", Arguments = ["-c", "echo on stdout; echo it is broken >&2; exit 3"] }, token)));

        var fault = (await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];

        fault.Code.ShouldBe("image.step-failed");
        fault.What.ShouldContain("it is broken");
        File.ReadAllText(fault.Log.ShouldNotBeNull()).ShouldContain("on stdout");
    }

    [Fact]
    public async Task A_failing_tool_that_speaks_on_stdout_is_quoted_too()
    {
        using var images = new ImageFixture(TestRecipe.Set((context, token) =>
            context.Tools.RunAsync(new ToolCommand { Program = "sh", Arguments = ["-c", "echo error: said on stdout; exit 1"] }, token)));
        (await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0].What.ShouldContain("said on stdout");
    }

    [Fact]
    public async Task A_missing_tool_is_a_fault_that_names_its_package_and_the_command_that_installs_it()
    {
        using var images = new ImageFixture(TestRecipe.Set((context, token) =>
            context.Tools.RunAsync(new ToolCommand { Program = "no-such-program", Arguments = [] }, token)));
        var fault = (await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];
        fault.Code.ShouldBe("setup.missing-package");
        fault.What.ShouldContain("no-such-program");
        fault.Remedy.ShouldContain("sudo ./gateway setup");
    }

    [Fact]
    public async Task Too_little_space_is_told_before_anything_is_built()
    {
        using var images = new ImageFixture([.. TestRecipe.Set().Skip(1), new TestRecipe(KernelRecipe.Name, KernelRecipe.Image) { Space = long.MaxValue }]);
        var fault = (await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];
        fault.Code.ShouldBe("image.no-space");
        fault.What.ShouldContain(images.Directories.Cache);
        images.Recipes.ShouldAllBe(r => r.Builds == 0);
    }

    [Fact]
    public async Task What_was_finished_before_a_failure_is_not_built_again()
    {
        var fail = true;
        using var images = new ImageFixture(
        [
            new TestRecipe(KernelRecipe.Name, KernelRecipe.Image),
            new TestRecipe(InitramfsRecipe.Name, InitramfsRecipe.Archive, (_, _) => fail ? throw new InvalidDataException("not yet") : Task.CompletedTask, KernelRecipe.Name),
            new TestRecipe(RootRecipe.ClusterName, RootRecipe.Image, null, KernelRecipe.Name),
        ]);
        await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token));
        fail = false;

        await images.Builder().EnsureAsync(Cluster, null, Token);

        images.Recipes.Single(r => r.Kind == KernelRecipe.Name).Builds.ShouldBe(1);
    }

    [Fact]
    public async Task Sources_that_change_during_the_build_are_not_stored_under_the_old_address()
    {
        ImageFixture? images = null;
        using (images = new ImageFixture(TestRecipe.Set((_, _) =>
        {
            images!.Folder.Write("source/recipe", "edited meanwhile");
            return Task.CompletedTask;
        })))
        {
            var fault = (await Should.ThrowAsync<FaultException>(() => images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];
            fault.Code.ShouldBe("image.source-changed");
            fault.What.ShouldContain("recipe");
            await images.Builder().EnsureAsync(Cluster, null, Token);
        }
    }

    [Fact]
    public async Task The_provenance_says_what_went_in_and_how_without_paths_of_this_machine()
    {
        using var images = new ImageFixture(TestRecipe.Set((context, token) =>
            context.Tools.RunAsync(new ToolCommand { Program = "sh", Arguments = ["-c", $"test -d {context.Folder} && cat {context.Source.PathOf("recipe")}"] }, token)));
        var set = await images.Builder().EnsureAsync(Cluster, null, Token);

        var record = OpenShell.Vm.Images.Cache.ArtifactCache.Read(Path.GetDirectoryName(set.Kernel)!)!;

        record.Inputs.ShouldContain(i => i.Name == "file recipe");
        record.Commands.ShouldBe(["sh -c 'test -d $OUT && cat $SOURCE/recipe'"]);
        record.Outputs.ShouldHaveSingleItem().Name.ShouldBe(KernelRecipe.Image);
        record.BuiltAt.ShouldBeGreaterThan(DateTimeOffset.UtcNow.AddMinutes(-10));
    }
}

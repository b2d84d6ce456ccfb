using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Images.Building;

/// <summary>The building of one artifact: space, packages, recipe, record, commit. Its guard is held by the caller.</summary>
internal sealed class ArtifactBuild(ArtifactCache cache, RecipeFacts facts, Locks locks)
{
    // errno 28; .NET passes it on as it is.
    private const int NoSpaceLeft = 28;

    private CacheLayout Layout => cache.Layout;

    public async Task<ArtifactRecord> RunAsync(ArtifactPlan plan, IReadOnlyDictionary<string, ArtifactRecord> needs, StepReporter step, CancellationToken cancellationToken)
    {
        var recipe = plan.Recipe;
        var free = HostFiles.FreeBytes(Layout.Root);
        if (free < recipe.SpaceNeeded)
            throw ImageFaults.NoSpace(Layout.Root, recipe.SpaceNeeded, free);

        var tools = new Tools(Layout.Log(recipe.Kind));
        var folder = cache.Begin(recipe.Kind, plan.Key);
        var context = new BuildContext(Layout, facts.For(recipe), locks, needs) { Folder = folder, Tools = tools, Progress = step };
        try
        {
            var packages = await FetchAsync(recipe, context, cancellationToken).ConfigureAwait(false);
            var version = await recipe.BuildAsync(context, cancellationToken).ConfigureAwait(false);
            CheckSources(plan);
            var versions = await HostPackages.VersionsForAsync(recipe.Kind, cancellationToken).ConfigureAwait(false);
            step.Running("checksums");
            return await cache.CommitAsync(folder, outputs => new ArtifactRecord
            {
                Kind = recipe.Kind,
                Key = plan.Key,
                Version = version,
                Inputs = plan.Inputs,
                Outputs = outputs,
                Packages = packages,
                Restored = context.Restored,
                Commands = [.. tools.Commands.Select(c => Anonymous(c, folder))],
                Tools = versions,
                Notes = context.Notes,
                BuiltAt = DateTimeOffset.UtcNow,
                Duration = step.Elapsed,
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (OperationCanceledException or FaultException))
        {
            throw Explain(e, recipe, tools);
        }
        finally
        {
            HostFiles.DeleteFolder(folder);
            HostFiles.DeleteFolder(Path.Combine(Layout.Building, "scratch-" + Path.GetFileName(folder)));
        }
    }

    // The address was computed before the build read the sources: what was edited in between must not be stored under it.
    private void CheckSources(ArtifactPlan plan)
    {
        if (facts.Source.Inputs(plan.Recipe.Sources).FirstOrDefault(now => !plan.Inputs.Contains(now)) is { } changed)
        {
            throw ImageFaults.Make(
                "image.source-changed",
                $"A source changed while '{plan.Recipe.Title}' was built from it: {changed.Name}.",
                $"Run '{ImageFaults.BuildCommand}' again.");
        }
    }

    private async Task<IReadOnlyList<PinnedPackage>> FetchAsync(Recipe recipe, BuildContext context, CancellationToken cancellationToken)
    {
        if (recipe.Packages(context.Facts) is not { } request)
            return [];
        var locked = context.Locked(recipe);
        using var guard = await Guard.EnterAsync(
            Layout.Guard("apt-" + request.Suite),
            pid => context.Progress.State(BuildState.Waiting, pid == Environment.ProcessId ? "packages of another step are being fetched" : $"process {pid} is fetching packages"),
            cancellationToken).ConfigureAwait(false);
        await context.Store.FetchAsync(
            locked,
            Resolution.Apt(Layout, request),
            context.Tools,
            (done, total) => context.Progress.Running($"packages: {done >> 20} of {total >> 20} MiB", (double)done / total, done),
            cancellationToken).ConfigureAwait(false);
        return locked.Packages;
    }

    // What is written down is the same wherever it was built.
    private string Anonymous(string command, string folder) => command
        .Replace(folder, "$OUT", StringComparison.Ordinal)
        .Replace(Path.Combine(Layout.Building, "scratch-" + Path.GetFileName(folder)), "$SCRATCH", StringComparison.Ordinal)
        .Replace(Layout.Root, "$CACHE", StringComparison.Ordinal)
        .Replace(facts.Source.Root, "$SOURCE", StringComparison.Ordinal);

    private FaultException Explain(Exception e, Recipe recipe, Tools tools) => e switch
    {
        IOException { HResult: NoSpaceLeft } => ImageFaults.NoSpace(Layout.Root, recipe.SpaceNeeded, HostFiles.FreeBytes(Layout.Root), e),
        ToolFailedException { LastLines: var lines } when lines.Any(l => l.Contains("No space left on device", StringComparison.Ordinal)) =>
            ImageFaults.NoSpace(Layout.Root, recipe.SpaceNeeded, HostFiles.FreeBytes(Layout.Root), e),
        UnauthorizedAccessException => ImageFaults.NotWritable(Layout.Root, e),
        ToolFailedException failed => ImageFaults.Make(
            "image.step-failed",
            $"Building '{recipe.Title}' failed: {failed.Message}",
            $"The log says more; run '{ImageFaults.BuildCommand}' to try again from where it stopped.",
            tools.LogFile,
            e),
        _ => ImageFaults.Make(
            "image.step-failed",
            $"Building '{recipe.Title}' failed: {e.Message}",
            $"Run '{ImageFaults.BuildCommand}' to try again from where it stopped.",
            tools.LogFile,
            e),
    };
}

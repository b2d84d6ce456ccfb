using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Images.Building;

/// <summary>Resolves what recipes need once: package versions against the mirror, and which framework compiles natively.</summary>
internal sealed class Resolution(CacheLayout layout, RecipeFacts facts, Locks locks, IProgress<BuildProgress>? progress)
{
    /// <summary>apt's private state for the suite of a request.</summary>
    public static PrivateApt Apt(CacheLayout layout, PackageRequest request) =>
        new(Path.Combine(layout.Apt, NameOf(request)), request.Suite, request.Architecture, DebianArchive.OfHost());

    // The lists of another processor are others.
    private static string NameOf(PackageRequest request) => request.Suite + (request.Architecture == Architectures.Host ? "" : "-" + request.Architecture);

    /// <summary>Resolves what these recipes need and is not resolved yet; with <paramref name="refresh"/>, everything.</summary>
    public async Task EnsureAsync(IReadOnlyList<Recipe> recipes, bool refresh, CancellationToken cancellationToken)
    {
        if (!refresh && !recipes.Any(IsMissing))
            return;
        var step = new StepReporter("resolve", "Package versions", progress);
        try
        {
            using var guard = await Guard.EnterAsync(
                layout.Guard("resolve"), pid => step.State(BuildState.Waiting, $"process {pid} is asking the mirror"), cancellationToken).ConfigureAwait(false);
            step.State(BuildState.Started);
            var tools = new Tools(layout.Log("resolve"));
            foreach (var suite in recipes.Select(r => r.Packages(facts.For(r))).OfType<PackageRequest>().Where(r => refresh || locks.Find(r) is null).GroupBy(NameOf).ToList())
                await ResolveSuiteAsync([.. suite], tools, step, cancellationToken).ConfigureAwait(false);

            if (recipes.Any(r => r.TakesBaseImage) && facts.Base is { Local: null } image && (refresh || locks.FindBaseImage(facts) is null))
                await ResolveAsync(image.Source, step, cancellationToken).ConfigureAwait(false);

            if (recipes.Any(r => r.CompilesDotNet) && (refresh || locks.FindToolchain(facts) is null))
            {
                step.Running("which .NET can be compiled natively");
                await locks.WriteAsync(facts, await ToolchainProbe.RunAsync(layout, facts, tools, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            }

            step.State(BuildState.Completed);
        }
        catch (Exception e)
        {
            step.State(BuildState.Failed, e.Message);
            if (e is UnauthorizedAccessException)
                throw ImageFaults.NotWritable(layout.Root, e);
            throw;
        }
    }

    private bool IsMissing(Recipe recipe) =>
        (recipe.CompilesDotNet && locks.FindToolchain(facts) is null) || (recipe.TakesBaseImage && locks.FindBaseImage(facts) is null) || (recipe.Packages(facts.For(recipe)) is { } request && locks.Find(request) is null);

    private async Task ResolveAsync(BaseImageSource source, StepReporter step, CancellationToken cancellationToken)
    {
        step.Running(source.ToString());
        using var content = ImageContent.Open(source, layout);
        var manifest = await ImageResolver.ResolveAsync(content, facts.Architecture, cancellationToken).ConfigureAwait(false);
        await locks.WriteAsync(
            source,
            new BaseImageLock
            {
                Reference = source.ToString(),
                Architecture = facts.Architecture,
                Digest = manifest.Digest!,
                Size = manifest.Size,
                MediaType = manifest.MediaType!,
                ResolvedAt = DateTimeOffset.UtcNow,
            },
            cancellationToken).ConfigureAwait(false);
        step.Running($"{source} is {manifest.Digest}", 1);
    }

    // All of one suite, for one processor.
    private async Task ResolveSuiteAsync(IReadOnlyList<PackageRequest> requests, Tools tools, StepReporter step, CancellationToken cancellationToken)
    {
        var suite = requests[0].Suite;
        using var guard = await Guard.EnterAsync(layout.Guard("apt-" + suite), null, cancellationToken).ConfigureAwait(false);
        var apt = Apt(layout, requests[0]);
        step.Running($"package lists of {suite}");
        await apt.UpdateAsync(tools, cancellationToken).ConfigureAwait(false);
        foreach (var request in requests)
        {
            step.Running($"{request.Name} in {suite}");
            await locks.WriteAsync(request, await PackageResolver.ResolveAsync(request, apt, tools, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>One run of the builder: every artifact is looked up or built once, those that do not depend on one another at the same time.</summary>
internal sealed class BuildSession(ArtifactCache cache, RecipeFacts facts, Locks locks, Keys keys, IProgress<BuildProgress>? progress, bool repair)
{
    private readonly Dictionary<string, Task<ArtifactRecord>> _tasks = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>The artifact of a kind; everything must have been resolved.</summary>
    public Task<ArtifactRecord> GetAsync(string kind, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_tasks.TryGetValue(kind, out var task))
                _tasks[kind] = task = EnsureAsync(keys.Plan(kind) ?? throw new InvalidOperationException(kind + " is not resolved"), cancellationToken);
            return task;
        }
    }

    private async Task<ArtifactRecord> EnsureAsync(ArtifactPlan plan, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var (kind, key) = (plan.Recipe.Kind, plan.Key);
        var step = new StepReporter(kind, plan.Recipe.Title, progress);
        if (await FindUsableAsync(plan, cancellationToken).ConfigureAwait(false) is { } cached)
        {
            step.State(BuildState.Cached, cached.Version, cached.Outputs.Sum(o => o.Size));
            return cached;
        }

        try
        {
            using var guard = await Guard.EnterAsync(
                cache.Layout.Guard($"{kind}-{key}"), pid => step.State(BuildState.Waiting, $"process {pid} is building it"), cancellationToken).ConfigureAwait(false);

            // Whoever was waited for has built it, as a rule.
            if (await FindUsableAsync(plan, cancellationToken).ConfigureAwait(false) is { } built)
            {
                step.State(BuildState.Cached, built.Version, built.Outputs.Sum(o => o.Size));
                return built;
            }

            var needs = await NeedsAsync(plan.Recipe, cancellationToken).ConfigureAwait(false);
            step = new StepReporter(kind, plan.Recipe.Title, progress);
            step.State(BuildState.Started);
            var record = await BuildAsync(plan, needs, step, cancellationToken).ConfigureAwait(false);
            step.State(BuildState.Completed, record.Version, record.Outputs.Sum(o => o.Size));
            return record;
        }
        catch (Exception e)
        {
            step.State(BuildState.Failed, e is OperationCanceledException ? "cancelled" : e.Message);
            throw;
        }
    }

    /// <summary>The artifact, if it is there and still what was built. A corrupt one is set aside: silently only where the user asked for a repair.</summary>
    private async Task<ArtifactRecord?> FindUsableAsync(ArtifactPlan plan, CancellationToken cancellationToken)
    {
        var (kind, key) = (plan.Recipe.Kind, plan.Key);
        Fault? fault;
        try
        {
            if (cache.Find(kind, key) is not { } record)
                return null;
            fault = await cache.CheckAtUseAsync(record, cancellationToken).ConfigureAwait(false);
            if (fault is null)
                return record;
        }
        catch (FaultException e)
        {
            fault = e.Faults[0];
        }

        var aside = cache.SetAside(kind, key);
        return repair ? null : throw new FaultException(fault with { Remedy = $"It was set aside as {aside}; run '{ImageFaults.BuildCommand}' to build it again." });
    }

    private async Task<IReadOnlyDictionary<string, ArtifactRecord>> NeedsAsync(Recipe recipe, CancellationToken cancellationToken)
    {
        // One that fails ends the others: nothing good comes of a compiler that goes on behind an error message.
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = recipe.Needs.ToDictionary(need => need, need => GetAsync(need, others.Token), StringComparer.Ordinal);
        await foreach (var task in Task.WhenEach(tasks.Values).ConfigureAwait(false))
        {
            if (!task.IsCompletedSuccessfully)
                await others.CancelAsync().ConfigureAwait(false);
        }

        if (tasks.Values.FirstOrDefault(t => t.IsFaulted) is { } failed)
            await failed.ConfigureAwait(false);
        return (await Task.WhenAll(tasks.Select(async t => (t.Key, Record: await t.Value.ConfigureAwait(false)))).ConfigureAwait(false))
            .ToDictionary(t => t.Key, t => t.Record, StringComparer.Ordinal);
    }

    private Task<ArtifactRecord> BuildAsync(ArtifactPlan plan, IReadOnlyDictionary<string, ArtifactRecord> needs, StepReporter step, CancellationToken cancellationToken) =>
        new ArtifactBuild(cache, facts, locks).RunAsync(plan, needs, step, cancellationToken);
}

using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Images.Building;

/// <summary>Every recipe.</summary>
internal sealed class RecipeCatalog(IReadOnlyList<Recipe> recipes)
{
    private readonly Dictionary<string, Recipe> _recipes = recipes.ToDictionary(r => r.Kind, StringComparer.Ordinal);

    /// <summary>Those of this project.</summary>
    public static RecipeCatalog Default { get; } = new(
    [
        DebianRootRecipe.Upstream,
        DebianRootRecipe.K3s,
        new KernelRecipe(),
        CustomKernelRecipe.X64,
        CustomKernelRecipe.Arm64,
        new StockFirmwareRecipe(),
        new GuestRecipe(),
        InitramfsRecipe.Guest,
        InitramfsRecipe.Plain,
        new KubernetesRecipe(),
        new K3sRecipe(),
        new GatewayRecipe(),
        new PauseRecipe(),
        new WorkloadRecipe(),
        RootRecipe.Cluster,
        RootRecipe.Program,
        RootRecipe.K3s,
        RootRecipe.Plain,
        new GvproxyRecipe(),
    ]);

    /// <summary>Kinds, in the order of the list.</summary>
    public IReadOnlyList<string> Kinds { get; } = [.. recipes.Select(r => r.Kind)];

    public Recipe Get(string kind) => _recipes[kind];

    /// <summary>The given kinds and all that they need, each once, needs first.</summary>
    public IReadOnlyList<Recipe> Closure(IEnumerable<string> kinds)
    {
        var ordered = new List<Recipe>();
        foreach (var kind in kinds)
            Visit(Get(kind));
        return ordered;

        void Visit(Recipe recipe)
        {
            if (ordered.Contains(recipe))
                return;
            foreach (var need in recipe.Needs)
                Visit(Get(need));
            ordered.Add(recipe);
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>An artifact as it should be: its address and all that determines it.</summary>
internal sealed record ArtifactPlan(Recipe Recipe, string Key, IReadOnlyList<RecipeInput> Inputs);

/// <summary>Computes content addresses from recipes, without building anything: an address covers what goes in, and the addresses of what goes in.</summary>
internal sealed class Keys(RecipeCatalog catalog, RecipeFacts facts, Locks locks)
{
    // 128 bits of SHA-256: no accident makes two alike, and folder names stay readable.
    private const int KeyLength = 32;

    private readonly Dictionary<string, ArtifactPlan?> _plans = new(StringComparer.Ordinal);

    /// <summary>The plan of a kind; <see langword="null"/> while something of it is not resolved yet.</summary>
    public ArtifactPlan? Plan(string kind)
    {
        if (!_plans.TryGetValue(kind, out var plan))
            _plans[kind] = plan = Compute(catalog.Get(kind));
        return plan;
    }

    private ArtifactPlan? Compute(Recipe recipe)
    {
        var own = facts.For(recipe);
        var inputs = new List<RecipeInput>
        {
            new("recipe " + recipe.Kind, recipe.Revision.ToString(CultureInfo.InvariantCulture)),
            new("architecture", own.Architecture),
        };
        inputs.AddRange(own.Source.Inputs(recipe.Sources));
        inputs.AddRange(recipe.Inputs(own));
        if (recipe.CompilesDotNet)
        {
            if (locks.FindToolchain(own) is not { } toolchain)
                return null;
            inputs.Add(new RecipeInput("framework", toolchain.Framework));
            inputs.Add(new RecipeInput("sdk", toolchain.Sdk));
        }

        if (recipe.Packages(own) is { } request)
        {
            if (locks.Find(request) is not { } locked)
                return null;
            inputs.AddRange(locked.Inputs);
        }

        foreach (var need in recipe.Needs)
        {
            if (Plan(need) is not { } plan)
                return null;
            inputs.Add(new RecipeInput("artifact " + need, plan.Key));
        }

        return new ArtifactPlan(recipe, Hash(inputs), inputs);
    }

    /// <summary>The address of a list of inputs.</summary>
    public static string Hash(IEnumerable<RecipeInput> inputs)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var input in inputs)
            hash.AppendData(Encoding.UTF8.GetBytes($"{input.Name}\t{input.Value}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..KeyLength];
    }
}

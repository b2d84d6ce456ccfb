using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>Which artifacts went into an artifact, by its record.</summary>
internal static class ArtifactIngredients
{
    private const string Prefix = "artifact ";

    /// <summary>Each as <c>KIND/KEY</c>.</summary>
    public static IEnumerable<string> Of(ArtifactRecord record) =>
        record.Inputs.Where(i => i.Name.StartsWith(Prefix, StringComparison.Ordinal)).Select(i => $"{i.Name[Prefix.Length..]}/{i.Value}");
}

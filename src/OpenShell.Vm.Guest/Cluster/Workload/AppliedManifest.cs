using System.Text.Json;
using System.Text.Json.Nodes;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>What was made of a file of the folder of manifests, kept on the state disk so that it can be taken away with the file, whenever that is found to be gone.</summary>
/// <param name="Hash">Of the file's text when all of it was applied; empty while that is not so.</param>
/// <param name="Objects">Paths of objects in the API, in the order in which they were applied.</param>
internal sealed record AppliedManifest(string Hash, IReadOnlyList<string> Objects)
{
    /// <summary>Nothing was.</summary>
    public static AppliedManifest None { get; } = new("", []);

    /// <summary>Reads what is kept; a file that cannot be read is as none, and is written anew when its manifest is applied again.</summary>
    public static AppliedManifest Parse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return new AppliedManifest(json.RootElement.Text("hash") ?? "", json.RootElement.Texts("objects"));
        }
        catch (JsonException)
        {
            return None;
        }
    }

    /// <summary>As it is kept.</summary>
    public string ToText() => new JsonObject { ["hash"] = Hash, ["objects"] = new JsonArray([.. Objects.Select(o => (JsonNode)o)]) }.ToJsonString();

    /// <summary>
    /// An object's identity, whatever version of its kind it was written in: the path without group and version. That takes objects of two groups for one now and then
    /// (Ingress has moved from one to another), which keeps what might be deleted, and never deletes what is to be kept.
    /// </summary>
    public static string IdentityOf(string path) => string.Join('/', path.Split('/').Skip(path.StartsWith("/apis/", StringComparison.Ordinal) ? 4 : 3));

    /// <summary>The objects of <paramref name="before"/> that nobody names any more, last first: what came later may need what came before.</summary>
    /// <param name="before">What was there.</param>
    /// <param name="named">Objects that are to stay.</param>
    public static IReadOnlyList<string> ToDelete(IEnumerable<string> before, IEnumerable<string> named)
    {
        var kept = named.Select(IdentityOf).ToHashSet();
        return [.. before.Where(path => !kept.Contains(IdentityOf(path))).Reverse()];
    }
}

/// <summary>The folder in which that is kept, one file for each manifest.</summary>
internal sealed class AppliedManifests(string folder)
{
    private const string Extension = ".applied";

    // Nobody else writes there.
    private readonly SortedDictionary<string, AppliedManifest> _all = ReadAll(folder);

    /// <summary>All of them, by the names of their manifests, as they are now.</summary>
    public IReadOnlyDictionary<string, AppliedManifest> All => new Dictionary<string, AppliedManifest>(_all);

    /// <summary>Keeps one, whole or not at all.</summary>
    public void Write(string name, AppliedManifest applied)
    {
        var path = Path.Combine(folder, name + Extension);
        File.WriteAllText(path + ".new", applied.ToText());
        File.Move(path + ".new", path, overwrite: true);
        _all[name] = applied;
    }

    /// <summary>Forgets one.</summary>
    public void Forget(string name)
    {
        File.Delete(Path.Combine(folder, name + Extension));
        _all.Remove(name);
    }

    private static SortedDictionary<string, AppliedManifest> ReadAll(string folder)
    {
        Directory.CreateDirectory(folder);
        var all = new SortedDictionary<string, AppliedManifest>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(folder, "*" + Extension))
            all[Path.GetFileName(file)[..^Extension.Length]] = AppliedManifest.Parse(File.ReadAllText(file));
        return all;
    }
}

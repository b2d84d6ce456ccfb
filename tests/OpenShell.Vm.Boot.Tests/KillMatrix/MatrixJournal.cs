using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>
/// What was tried, one line for each case, so that a long run can be interrupted and goes on where it was. A case counts as tried for the product as it was then, host and guest, and for no other.
/// </summary>
internal sealed class MatrixJournal(string? path)
{
    private static readonly Lazy<string> Build = new(HashOfSources);

    /// <summary>The journal of a full run; without one, the sample is tried, each time.</summary>
    public static MatrixJournal Given { get; } = new(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KILL_MATRIX") is { Length: > 0 } file ? Path.GetFullPath(file) : null);

    /// <summary>Whether all cases are to be tried.</summary>
    public bool IsFull => path is not null;

    /// <summary>The record of an earlier run with this product, in which nothing was lost.</summary>
    public string? Tried(KillCase tried) => Last(tried) is { } record && record.GetProperty("passed").GetBoolean() ? record.ToString() : null;

    private JsonElement? Last(KillCase tried) => path is null || !File.Exists(path)
        ? null
        : File.ReadLines(path).Where(line => line.EndsWith('}')).Select(line => (JsonElement?)JsonSerializer.Deserialize<JsonElement>(line))
            .LastOrDefault(record => record!.Value.GetProperty("case").GetString() == tried.ToString() && record.Value.GetProperty("build").GetString() == Build.Value);

    /// <summary>Of all cases, with this product: in one line.</summary>
    public string Summary()
    {
        var records = KillCase.All.Select(Last).ToList();
        var known = records.OfType<JsonElement>().ToList();
        var losses = known.Select(record => record.GetProperty("losses")).Where(value => value.ValueKind == JsonValueKind.Number).Sum(value => value.GetInt32());
        return $"kill matrix of this build: {known.Count(record => record.GetProperty("passed").GetBoolean())} of {records.Count} cases passed, {known.Count(record => !record.GetProperty("passed").GetBoolean())} failed, {records.Count - known.Count} not tried yet; {losses} losses";
    }

    /// <summary>Of all that host and guest are built from: the guest's program is no part of these tests.</summary>
    private static string HashOfSources()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenShell.Vm.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("These tests do not run in the tree of their sources.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = ((string[])["src", "images", "proto"]).SelectMany(name => Directory.EnumerateFiles(Path.Combine(folder.FullName, name), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(folder.FullName, "Directory.*")).Append(Path.Combine(folder.FullName, "global.json"));
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder.FullName, file) + "\0"));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
    }

    /// <summary>Writes a case down.</summary>
    /// <param name="tried">Which.</param>
    /// <param name="moment">How it went.</param>
    /// <param name="losses">How much of what was acknowledged is gone; <see langword="null"/>: it did not come up again, and nobody knows.</param>
    /// <param name="took">All of it.</param>
    public void Add(KillCase tried, string moment, int? losses, TimeSpan took)
    {
        if (path is null)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.AppendAllText(path, JsonSerializer.Serialize(new { @case = tried.ToString(), build = Build.Value, at = DateTimeOffset.UtcNow, moment, passed = losses == 0, losses, seconds = (int)took.TotalSeconds }) + "\n");
    }
}

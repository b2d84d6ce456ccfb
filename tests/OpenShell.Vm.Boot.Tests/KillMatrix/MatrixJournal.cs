using System.Text.Json;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>
/// What was tried, one line for each case, so that a long run can be interrupted and goes on where it was. A case counts as tried for the library it was tried with, and for no other.
/// </summary>
internal sealed class MatrixJournal(string? path)
{
    private static readonly string Build = typeof(InstanceConfig).Module.ModuleVersionId.ToString("N");

    /// <summary>The journal of a full run; without one, the sample is tried, each time.</summary>
    public static MatrixJournal Given { get; } = new(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KILL_MATRIX") is { Length: > 0 } file ? Path.GetFullPath(file) : null);

    /// <summary>Whether all cases are to be tried.</summary>
    public bool IsFull => path is not null;

    /// <summary>The record of an earlier run with this library, in which nothing was lost.</summary>
    public string? Tried(KillCase tried) => path is null || !File.Exists(path)
        ? null
        : File.ReadLines(path).LastOrDefault(line => line.EndsWith('}') && JsonSerializer.Deserialize<JsonElement>(line) is var record && record.GetProperty("case").GetString() == tried.ToString()
            && record.GetProperty("build").GetString() == Build && record.GetProperty("passed").GetBoolean());

    /// <summary>Writes a case down.</summary>
    public void Add(KillCase tried, string moment, bool passed, int losses, TimeSpan took)
    {
        if (path is null)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.AppendAllText(path, JsonSerializer.Serialize(new { @case = tried.ToString(), build = Build, at = DateTimeOffset.UtcNow, moment, passed, losses, seconds = (int)took.TotalSeconds }) + "\n");
    }
}

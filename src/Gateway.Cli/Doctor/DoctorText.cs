using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>What the checks found, for people: a table, then what to do.</summary>
internal static class DoctorText
{
    public static void Write(TextWriter writer, IReadOnlyList<CheckResult> results)
    {
        var table = new TextTable("CHECK", "STATE", "FINDING");
        foreach (var result in results)
            table.Add(result.Name, CliJson.Word(result.State), result.Finding);
        table.Write(writer);
        foreach (var result in results.Where(r => r.Remedy is not null))
        {
            writer.WriteLine();
            writer.WriteLine($"{result.Name}: {result.Remedy}");
        }

        var mendable = results.Where(r => r.Repair is not null).ToList();
        if (mendable.Count == 0)
            return;
        writer.WriteLine();
        writer.WriteLine("'gateway doctor --fix' does this:");
        foreach (var result in mendable)
            writer.WriteLine($"  {result.Name}: {result.Fix}");
    }
}

using System.Globalization;
using System.Text;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Images.Host;

/// <summary>Ends tools that go on although the build that started them was killed. Processes are known by a variable in their environment that no other has.</summary>
internal static class Leftovers
{
    /// <summary>Kills every process with this variable (<c>NAME=VALUE</c>), and its descendants; completes when all of them have ended.</summary>
    public static async Task EndAsync(string variable, CancellationToken cancellationToken)
    {
        var marker = Encoding.UTF8.GetBytes(variable + "\0");
        var all = Processes();

        // Descendants are taken along: in a user namespace their environment cannot be read from outside, but they can be killed by its owner.
        var doomed = all.Keys.Where(pid => HasInEnvironment(pid, marker)).ToHashSet();
        for (var before = 0; before < doomed.Count;)
        {
            before = doomed.Count;
            doomed.UnionWith(all.Where(p => doomed.Contains(p.Value)).Select(p => p.Key).ToList());
        }

        // By number and start time: one that ends meanwhile may have given its number to another.
        var found = doomed.Select(ProcessIdentities.Of).OfType<ProcessIdentity>().ToArray();
        foreach (var process in found)
            ProcessIdentities.Signal(process, Signals.Kill);
        while (found.Any(ProcessIdentities.IsAlive))
            await Task.Delay(20, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Parents by process.</summary>
    private static Dictionary<int, int> Processes()
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Status(pid, "PPid:") is { } parent)
                parents[pid] = int.Parse(parent, CultureInfo.InvariantCulture);
        }

        return parents;
    }

    // https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    private static string? Status(int pid, string field)
    {
        try
        {
            return File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal))?.Split('\t')[1];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended
        }
    }

    private static bool HasInEnvironment(int pid, byte[] marker)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{pid}/environ").AsSpan().IndexOf(marker) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or is another user's
        }
    }
}

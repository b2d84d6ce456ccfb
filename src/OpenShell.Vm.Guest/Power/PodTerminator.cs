using System.Globalization;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Power;

/// <summary>
/// Ends the processes of pods, once the kubelet is gone and starts none again: SIGTERM to all, time for those that listen to it, then the end for the rest.
/// A container's first process that has no handler for SIGTERM would never see it (the kernel protects a namespace's init), so it is not waited for.
/// </summary>
internal static class PodTerminator
{
    private const string Pods = Cgroups.Root + "/kubepods";
    private const ulong TerminateBit = 1UL << (Linux.SignalTerminate - 1);

    /// <summary>Ends them all.</summary>
    public static async Task RunAsync(TimeSpan patience)
    {
        if (!Directory.Exists(Pods))
            return;
        var listening = new List<int>();
        foreach (var process in Processes(Pods))
        {
            if (Catches(ReadStatus(process), TerminateBit) && Linux.Kill(process, Linux.SignalTerminate) == 0)
                listening.Add(process);
        }

        var deadline = Uptime.Nanoseconds + (patience.Ticks * 100);
        while (Uptime.Nanoseconds < deadline && listening.Exists(p => Directory.Exists($"/proc/{p}")))
            await Task.Delay(20).ConfigureAwait(false);
        Cgroups.Kill(Pods);
        while (Uptime.Nanoseconds < deadline && Cgroups.IsPopulated(Pods))
            await Task.Delay(5).ConfigureAwait(false);
    }

    /// <summary>Kills them all, without waiting for any.</summary>
    public static void Kill() => Cgroups.Kill(Pods);

    /// <summary>Whether a process has a handler for a signal, by the line <c>SigCgt</c> of its <c>/proc/PID/status</c>.</summary>
    public static bool Catches(string status, ulong bit)
    {
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("SigCgt:"))
                return ulong.TryParse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var caught) && (caught & bit) != 0;
        }

        return false;
    }

    private static IEnumerable<int> Processes(string folder) =>
        Directory.EnumerateFiles(folder, "cgroup.procs", SearchOption.AllDirectories)
            .SelectMany(File.ReadAllLines)
            .Select(line => int.Parse(line, CultureInfo.InvariantCulture))
            .Where(process => process > 1);

    private static string ReadStatus(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/status");
        }
        catch (IOException)
        {
            return "";
        }
    }
}

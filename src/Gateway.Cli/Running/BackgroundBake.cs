using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>After the first boot of its kind a golden image is baked behind the user's back, who is told: the next new instance then begins as a copy of it.</summary>
internal static class BackgroundBake
{
    /// <summary>What is left to others while it is baked, besides the machine's own memory.</summary>
    private const int SpareMib = 1024;

    /// <summary>Starts it if there is none, and there could and should be one.</summary>
    public static async Task BeginAsync(CommandContext context, InstanceConfig config, InstanceStatus status)
    {
        var host = context.Host;
        if (status.Stages.Any(stage => stage is { Stage: BootStages.Resume, State: StageState.Completed }) || host.Variable("OPENSHELL_VM_GOLDEN") is "off" || host.Self.Count == 0)
            return;
        try
        {
            if (AvailableMib() < (status.MemoryMib ?? InstanceDefaults.ClusterMemoryMib) + SpareMib || await host.Instances.FindGoldenAsync(config) is not null)
                return;
        }
        catch (FaultException)
        {
            // There can be none of this, or its images are not in the cache any more: nobody asked for one.
            return;
        }

        var folder = Path.Combine(host.Directories.Cache, "logs");
        Directory.CreateDirectory(folder);
        var (log, request) = (Path.Combine(folder, "bake.log"), WriteRequest(folder, config));
        string[] nice = File.Exists("/usr/bin/nice") ? ["/usr/bin/nice", "-n", "15"] : [];
        string[] line = [.. nice, .. host.Self, HiddenCommands.Bake, request];
        ChildProcess.StartIndependent(new LaunchSpec { Title = "The bake", Program = line[0], Arguments = line[1..], Environment = ProcessEnvironment(), LogFile = log });
        if (!context.Quiet)
            await host.Error.WriteLineAsync($"A golden image of this is baked in the background (log: {log}); the next new instance begins as a copy of it, in a moment. OPENSHELL_VM_GOLDEN=off does without.");
    }

    /// <summary>It may hold a proxy's password: its owner's alone from its first moment.</summary>
    /// <returns>Its path; whoever bakes removes it.</returns>
    internal static string WriteRequest(string folder, InstanceConfig config)
    {
        var path = Path.Combine(folder, $"bake.{Guid.NewGuid():N}.json");
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        System.Text.Json.JsonSerializer.Serialize(file, config, InstanceJson.Default.InstanceConfig);
        return path;
    }

    private static Dictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");

    // MemAvailable of https://man7.org/linux/man-pages/man5/proc_meminfo.5.html; elsewhere nothing is baked anyway.
    private static long AvailableMib() => File.Exists("/proc/meminfo")
        && File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal)) is { } line
        && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], out var kib) ? kib >> 10 : 0;
}

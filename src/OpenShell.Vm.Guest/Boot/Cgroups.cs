using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>
/// The tree of control groups: <c>/init</c> (PID 1 and what it starts for itself), <c>/services/NAME</c>, and <c>/kubepods</c>, which is the kubelet's.
/// https://docs.kernel.org/admin-guide/cgroup-v2.html
/// </summary>
internal static class Cgroups
{
    /// <summary>Where they are mounted.</summary>
    public const string Root = "/sys/fs/cgroup";

    /// <summary>The folder under which each service has its own.</summary>
    public const string Services = Root + "/services";

    private static readonly TimeSpan FreezeLimit = TimeSpan.FromSeconds(1), FreezePause = TimeSpan.FromMilliseconds(10);

    /// <summary>What the kubelet and containerd need; each with the option that a kernel without it lacks.</summary>
    public static IReadOnlyList<(string Controller, string Option)> Controllers { get; } =
    [
        ("cpu", "CONFIG_CGROUP_SCHED"), ("cpuset", "CONFIG_CPUSETS"), ("memory", "CONFIG_MEMCG"), ("pids", "CONFIG_CGROUP_PIDS"), ("io", "CONFIG_BLK_CGROUP"),
        ("hugetlb", "CONFIG_CGROUP_HUGETLB"),
    ];

    /// <summary>Lets every group below the root use the controllers. PID 1 leaves the root first: a group with processes in it cannot give controllers to others.</summary>
    public static void Delegate()
    {
        Mounts.Mounter.MakeFolders(Root + "/init");
        foreach (var process in File.ReadAllLines(Root + "/cgroup.procs"))
        {
            // Kernel threads cannot be moved (EINVAL) and do not count.
            TryWrite(Root + "/init/cgroup.procs", process);
        }

        Enable(Root);
        Mounts.Mounter.MakeFolders(Services);
        Enable(Services);
    }

    /// <summary>Makes a service's group.</summary>
    /// <param name="name">The service's name.</param>
    /// <param name="cpuWeight">Its share when processors are short: 1 to 10000.</param>
    /// <returns>Its folder.</returns>
    public static string MakeService(string name, int cpuWeight)
    {
        var folder = $"{Services}/{name}";
        Mounts.Mounter.MakeFolders(folder);
        TryWrite(folder + "/cpu.weight", cpuWeight.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return folder;
    }

    /// <summary>Puts a process, and all that it starts later, into a group.</summary>
    public static bool Move(int process, string folder) => TryWrite(folder + "/cgroup.procs", process.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Kills whatever is left in a group and the groups below it (kernel 5.14).</summary>
    public static void Kill(string folder) => TryWrite(folder + "/cgroup.kill", "1");

    /// <summary>Whether any process is in a group or below it.</summary>
    public static bool IsPopulated(string folder) => Says(folder, "populated 1");

    /// <summary>Freezes the services, all but some, or lets them go. Returns once they stand still, or <see cref="FreezeLimit"/> later: a process that waits in the kernel freezes when it comes back from there.</summary>
    /// <param name="frozen">What they are to be.</param>
    /// <param name="except">Services that run on.</param>
    public static async Task FreezeServicesAsync(bool frozen, IReadOnlyCollection<string> except)
    {
        string[] folders = [.. Directory.EnumerateDirectories(Services).Where(folder => !except.Contains(Path.GetFileName(folder)))];
        foreach (var folder in folders)
            TryWrite(folder + "/cgroup.freeze", frozen ? "1" : "0");
        for (var waited = TimeSpan.Zero; frozen && waited < FreezeLimit && !folders.All(folder => Says(folder, "frozen 1")); waited += FreezePause)
            await Task.Delay(FreezePause).ConfigureAwait(false);
    }

    private static bool Says(string folder, string line)
    {
        try
        {
            return File.ReadAllText(folder + "/cgroup.events").Contains(line, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>One by one: a controller that this kernel lacks must not take the others with it.</summary>
    private static void Enable(string folder)
    {
        foreach (var (controller, _) in Controllers)
            TryWrite(folder + "/cgroup.subtree_control", "+" + controller);
    }

    /// <summary>A plain open and write: these files accept exactly one write and no truncation.</summary>
    private static unsafe bool TryWrite(string file, string text)
    {
        var descriptor = Linux.Open(file, Linux.OpenWriteOnly | Linux.OpenCloseOnExec, 0);
        if (descriptor < 0)
            return false;
        var bytes = System.Text.Encoding.ASCII.GetBytes(text);
        nint written;
        fixed (byte* start = bytes)
            written = Linux.Write(descriptor, start, (nuint)bytes.Length);
        _ = Linux.Close(descriptor);
        return written == bytes.Length;
    }
}

using System.Globalization;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Limits of the system that a busy instance can meet: open files, of which gvproxy has two for each connection through a forward, and inotify, which .NET's compiler and kubectl's relatives use.</summary>
internal sealed class LimitsCheck : IHostCheck
{
    // QEMU and gvproxy have some fifty of their own; a test suite opens connections by the hundred.
    private const long LeastFiles = 256;
    private const long WantedFiles = 4096;

    // The kernel's own defaults.
    private const long WantedInstances = 128;
    private const long WantedWatches = 8192;

    public string Name => "limits";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var results = new List<CheckResult>();
        if (OperatingSystem.IsLinux())
        {
            // The hard one: .NET raises the soft one to it for itself, and its children inherit that.
            var files = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (files is [_, _, _, _, var hard, ..])
                results.Add(Files(hard == "unlimited" ? long.MaxValue : long.Parse(hard, CultureInfo.InvariantCulture)));
            if (Number("max_user_instances") is { } instances && Number("max_user_watches") is { } watches)
                results.Add(Inotify(instances, watches, InUse()));
        }

        return Task.FromResult<IReadOnlyList<CheckResult>>(results);
    }

    /// <summary>By the number alone.</summary>
    internal static CheckResult Files(long hard)
    {
        var finding = hard == long.MaxValue ? "no limit" : string.Create(CultureInfo.InvariantCulture, $"at most {hard} for a process");
        var state = hard < LeastFiles ? CheckState.Failed : hard < WantedFiles ? CheckState.Warning : CheckState.Ok;
        return new CheckResult("open files", state, finding, state == CheckState.Ok ? null : string.Create(CultureInfo.InvariantCulture, $"Each connection through a forward takes two. Raise it: 'ulimit -Hn {WantedFiles}' as root, or LimitNOFILE of the service, or /etc/security/limits.conf."));
    }

    /// <summary>By the numbers alone.</summary>
    internal static CheckResult Inotify(long instances, long watches, int inUse)
    {
        var finding = string.Create(CultureInfo.InvariantCulture, $"{inUse} of {instances} instances in use by this user, {watches} watches");
        var isShort = instances < WantedInstances || watches < WantedWatches || inUse * 10L >= instances * 9;
        return new CheckResult("inotify", isShort ? CheckState.Warning : CheckState.Ok, finding, isShort ? "Programs that watch files fail when they are used up: sudo sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288" : null);
    }

    private static long? Number(string name)
    {
        try
        {
            return long.TryParse(File.ReadAllText($"/proc/sys/fs/inotify/{name}"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Of processes whose descriptors may be looked at, which are this user's; to root everybody's are shown, and its own are asked for.
    private static int InUse() => Directory.EnumerateDirectories("/proc")
        .Where(p => Path.GetFileName(p).All(char.IsAsciiDigit))
        .Sum(p =>
        {
            try
            {
                return Directory.EnumerateFileSystemEntries(p + "/fd").Count(IsInotify);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        });

    private static bool IsInotify(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget?.EndsWith("anon_inode:inotify", StringComparison.Ordinal) is true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

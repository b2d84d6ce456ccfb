using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Images.Host;

/// <summary>The programs of others that a running machine needs: where they are, or how to get them.</summary>
public static class RuntimeTools
{
    // Where programs are that a user's PATH may lack: sbin (not in an ordinary user's PATH on Debian), and podman's private folders,
    // where its packages put gvproxy (https://github.com/containers/common, helper_binaries_dir).
    private static readonly string[] UsualFolders =
        ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/opt/homebrew/bin"];

    private static readonly string[] PodmanFolders =
    [
        "/usr/libexec/podman", "/usr/lib/podman", "/usr/local/libexec/podman",

        // macOS: Podman from Homebrew (Apple Silicon, Intel), and by its own installer.
        "/opt/homebrew/opt/podman/libexec/podman", "/usr/local/opt/podman/libexec/podman", "/opt/podman/bin",
    ];

    // gvproxy is made of Debian's package alone.
    private static SourceTree NoSources => new("/");

    /// <summary>Absolute path of gvproxy: the host's own, or the one already in the cache; <see langword="null"/> if it must be fetched first. No network; a few ms.</summary>
    public static string? FindGvproxy(HostDirectories directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        return FindProgram("gvproxy", PodmanFolders) ?? Cached(directories);
    }

    /// <summary>Absolute path of gvproxy; fetches Debian's package into the cache, without installing it, where the host has none.</summary>
    public static async Task<string> EnsureGvproxyAsync(HostDirectories directories, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (FindGvproxy(directories) is { } found)
            return found;
        return await EnsureCachedGvproxyAsync(directories, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Absolute path of gvproxy in the cache, whatever the host has of its own: what goes into a bundle. Fetches it where it is not there.</summary>
    internal static async Task<string> EnsureCachedGvproxyAsync(HostDirectories directories, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsMacOS())
        {
            throw new FaultException(new Fault
            {
                Code = "network.no-gvproxy",
                Stage = BootStages.Network,
                What = "There is no gvproxy on this Mac.",
                Remedy = "Install it: 'brew install podman' brings it along.",
            });
        }

        var records = await new ImageBuilder(directories, RecipeCatalog.Default, NoSources).EnsureKindsAsync([GvproxyRecipe.Name], refresh: false, repair: false, progress, cancellationToken).ConfigureAwait(false);
        return new ArtifactCache(new CacheLayout(directories.Cache)).FileOf(GvproxyRecipe.Name, records[0].Key, GvproxyRecipe.Program);
    }

    /// <summary>Absolute path of <c>qemu-system-ARCH</c> for this host's architecture, by PATH and the usual folders; <see langword="null"/> if there is none.</summary>
    public static string? FindQemu() => FindQemu(Architectures.Host);

    /// <summary>The same for a guest's architecture (of <see cref="Architectures"/>).</summary>
    public static string? FindQemu(string architecture) => FindProgram("qemu-system-" + Architectures.KernelName(architecture));

    /// <summary>Absolute path of <c>qemu-img</c>; <see langword="null"/> if there is none.</summary>
    public static string? FindQemuImg() => FindProgram("qemu-img");

    /// <summary>The first executable of that name in PATH, then in the usual folders, then in <paramref name="further"/> ones.</summary>
    internal static string? FindProgram(string name, IEnumerable<string>? further = null) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathRooted)
            .Concat(UsualFolders)
            .Concat(further ?? [])
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(IsExecutable);

    private static string? Cached(HostDirectories directories)
    {
        var layout = new CacheLayout(directories.Cache);
        var plan = new Keys(RecipeCatalog.Default, new RecipeFacts(NoSources, Architectures.Host), new Locks(layout)).Plan(GvproxyRecipe.Name);
        var path = plan is null ? null : new ArtifactCache(layout).FileOf(GvproxyRecipe.Name, plan.Key, GvproxyRecipe.Program);
        return path is not null && IsExecutable(path) ? path : null;
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path)
        && (OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}

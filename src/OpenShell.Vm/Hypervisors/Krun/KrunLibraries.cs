namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>Where libkrun and libkrunfw are looked for: a folder that the user names, the cache, then where package managers put them.</summary>
internal static class KrunLibraries
{
    // The number is the ABI's, and the one in the name by which libkrun itself opens libkrunfw: 5 since 1.17, 4 for 1.11 to 1.16 (KRUNFW_NAME in src/libkrun/src/lib.rs at these tags).
    private static readonly int[] FirmwareVersions = [5, 4];

    private static readonly string[] MacFolders =
    [
        // Homebrew on Apple Silicon: linked formulae, and those that are not linked.
        "/opt/homebrew/lib",
        "/opt/homebrew/opt/libkrun/lib",
        "/opt/homebrew/opt/libkrunfw/lib",
        "/usr/local/lib",
    ];

    private static string[] LinuxFolders(string architecture) =>
    [
        // Fedora and Arch (where lib64 is a link), then Debian's folders by architecture, what make install does, and Homebrew on Linux.
        "/usr/lib64",
        $"/usr/lib/{architecture}-linux-gnu",
        "/usr/lib",
        "/usr/local/lib64",
        $"/usr/local/lib/{architecture}-linux-gnu",
        "/usr/local/lib",
        "/home/linuxbrew/.linuxbrew/lib",
    ];

    /// <summary>The folders in order.</summary>
    /// <param name="runtimeDirectory">What the user named, if anything.</param>
    /// <param name="cacheFolder">The cache (<see cref="Instances.HostDirectories.Cache"/>).</param>
    /// <param name="isMac">Whether this is macOS.</param>
    /// <param name="architecture"><c>x86_64</c> or <c>aarch64</c>.</param>
    internal static IReadOnlyList<string> Folders(string? runtimeDirectory, string cacheFolder, bool isMac, string architecture) =>
    [
        .. runtimeDirectory is null ? (string[])[] : [runtimeDirectory],
        Path.Combine(cacheFolder, "runtime"),
        .. isMac ? MacFolders : LinuxFolders(architecture),
    ];

    /// <summary>libkrun; a folder that the user named must hold it, since another version would not be what was asked for.</summary>
    internal static string? FindLibkrun(string? runtimeDirectory, IReadOnlyList<string> folders, bool isMac) =>
        (runtimeDirectory is null ? folders : [runtimeDirectory])
            .Select(folder => Path.Combine(folder, isMac ? "libkrun.1.dylib" : "libkrun.so.1"))
            .FirstOrDefault(File.Exists);

    /// <summary>Every libkrunfw, the first folder's first.</summary>
    internal static IReadOnlyList<string> FindLibkrunfw(IReadOnlyList<string> folders, bool isMac) =>
    [
        .. folders.SelectMany(folder => FirmwareVersions.Select(version => Path.Combine(folder, FirmwareName(version, isMac)))).Where(File.Exists),
    ];

    /// <summary>The file name that libkrun opens.</summary>
    internal static string FirmwareName(int version, bool isMac) => isMac ? $"libkrunfw.{version}.dylib" : $"libkrunfw.so.{version}";
}

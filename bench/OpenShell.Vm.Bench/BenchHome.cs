using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bench;

/// <summary>A user's folders for one run of the benchmarks: empty but for the image cache, which is the real user's. Short, since there are sockets in it.</summary>
internal sealed class BenchHome : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("ovb-");

    /// <summary>The same folders as the library takes them.</summary>
    public HostDirectories Directories => new()
    {
        Data = Path.Combine(In("data"), "openshell-vm"),
        Cache = HostDirectories.FromEnvironment().Cache,
        OpenShellConfig = Path.Combine(In("config"), "openshell"),
        Runtime = Path.Combine(In("run"), "openshell-vm"),
        Kube = Path.Combine(In("home"), ".kube"),
    };

    /// <summary>The same folders as the command takes them.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["HOME"] = In("home"),
        ["XDG_DATA_HOME"] = In("data"),
        ["XDG_CONFIG_HOME"] = In("config"),
        ["XDG_RUNTIME_DIR"] = In("run"),
        ["XDG_CACHE_HOME"] = Path.GetDirectoryName(HostDirectories.FromEnvironment().Cache),

        // What boots is to boot, and nothing is to be baked behind what is measured.
        ["OPENSHELL_VM_GOLDEN"] = "off",
        ["NUGET_PACKAGES"] = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(System.Environment.GetEnvironmentVariable("HOME") ?? "/", ".nuget/packages"),
    };

    /// <summary>The same, with golden images.</summary>
    public IReadOnlyDictionary<string, string?> WithGolden => new Dictionary<string, string?>(Environment) { ["OPENSHELL_VM_GOLDEN"] = null };

    /// <summary>A folder below it.</summary>
    public string In(string name) =>
        Directory.CreateDirectory(Path.Combine(_root.FullName, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;

    public void Dispose() => _root.Delete(recursive: true);
}

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>
/// A user's folders for the length of a test: everything empty but the image cache, which is the real user's, since building it takes minutes.
/// Short, since there are sockets in it.
/// </summary>
internal sealed class TestHome : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("ovt-");

    private readonly bool _golden;

    /// <param name="golden">Whether its instances may begin as copies of golden images. Most tests are about a boot, and have none.</param>
    public TestHome(bool golden = false)
    {
        _golden = golden;
        foreach (var folder in (string[])[Home, Data, Config, Runtime])
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Everything that a test's instances write is below this folder.</summary>
    public string Root => _root.FullName;

    public string Home => Path.Combine(Root, "home");

    public string Data => Path.Combine(Root, "data");

    public string Config => Path.Combine(Root, "config");

    public string Runtime => Path.Combine(Root, "run");

    /// <summary>The same, for the library.</summary>
    public Instances.HostDirectories Directories => new()
    {
        Data = Path.Combine(Data, "openshell-vm"),
        Cache = Path.Combine(Environment["XDG_CACHE_HOME"]!, "openshell-vm"),
        OpenShellConfig = Path.Combine(Config, "openshell"),
        Runtime = Path.Combine(Runtime, "openshell-vm"),
        Kube = Path.Combine(Home, ".kube"),
    };

    public string Kubeconfig => Path.Combine(Home, ".kube", "gateway.yaml");

    /// <summary>What a program started by the test gets.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get => field ??= Variables(); }

    public void Dispose()
    {
        try
        {
            _root.Delete(recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // A test was about just that.
        }
    }

    private Dictionary<string, string?> Variables()
    {
        var home = System.Environment.GetEnvironmentVariable("HOME") ?? "/";
        return new Dictionary<string, string?>
        {
            ["HOME"] = Home,
            ["XDG_DATA_HOME"] = Data,
            ["XDG_CONFIG_HOME"] = Config,
            ["XDG_RUNTIME_DIR"] = Runtime,
            ["XDG_CACHE_HOME"] = Real("XDG_CACHE_HOME", home, ".cache"),
            // Where an image has to be built, its programs are compiled with the packages that are there.
            ["NUGET_PACKAGES"] = Real("NUGET_PACKAGES", home, ".nuget/packages"),
            ["KUBECONFIG"] = null,
            ["NO_COLOR"] = null,
            ["OPENSHELL_VM_GOLDEN"] = _golden ? null : "off",
        };
    }

    private static string Real(string variable, string home, string fallback) =>
        System.Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : Path.Combine(home, fallback);
}

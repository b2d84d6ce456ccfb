using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Support;

/// <summary>A folder of a test's own, short enough for sockets, removed with it.</summary>
internal sealed class TestFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("osvm-").FullName;

    internal HostDirectories Directories => new()
    {
        Data = Path,
        Cache = Path + "/cache",
        OpenShellConfig = Path + "/config",
        Runtime = Path + "/run",
        Kube = Path + "/kube",
    };

    internal string File(string name) => System.IO.Path.Combine(Path, name);

    internal InstanceFiles Instance(string name = "default")
    {
        var files = InstanceFiles.For(Directories, InstanceName.Parse(name));
        InstanceStore.CreateFolders(files);
        return files;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

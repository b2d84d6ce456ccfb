using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Images;

/// <summary>A folder of a test's own, gone when the test is.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("openshell-images-").FullName;

    /// <summary>Folders of a user in it.</summary>
    public HostDirectories Directories => new()
    {
        Data = File("data"),
        Cache = File("cache"),
        OpenShellConfig = File("config"),
        Runtime = File("run"),
        Kube = File("kube"),
    };

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a text file, with the folders above it.</summary>
    public string Write(string name, string text)
    {
        var path = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => HostFiles.DeleteFolder(Path);
}

using System.Text;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing.Tests;

public sealed class TestFolderTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("ovt-");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _temporary.Delete(recursive: true);

    [Fact]
    public void It_is_private_and_goes_with_all_that_is_in_it()
    {
        string path;
        using (var folder = TestFolder.Create(_temporary.FullName))
        {
            path = folder.Path;
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(Path.Combine(path, "data", "deep"));
        }

        Directory.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void Sockets_of_the_longest_name_have_paths_that_the_system_takes()
    {
        using var folder = TestFolder.Create();

        // Throws where one of them would be too long.
        var files = InstanceFiles.For(folder.Directories, InstanceName.Parse(new string('n', 24)));

        Encoding.UTF8.GetByteCount(files.NetworkControlSocket).ShouldBeLessThanOrEqualTo(InstanceFiles.MaxSocketPath);
    }

    [Fact]
    public void All_that_is_written_is_in_it_but_the_images()
    {
        using var folder = TestFolder.Create(_temporary.FullName);

        var directories = folder.Directories;

        ((string[])[directories.Data, directories.Kube, directories.OpenShellConfig, directories.Runtime]).ShouldAllBe(path => path.StartsWith(folder.Path + "/", StringComparison.Ordinal));
        directories.Cache.ShouldBe(HostDirectories.FromEnvironment().Cache);
    }

    [Fact]
    public async Task A_sweep_leaves_alone_what_is_in_use()
    {
        using var folder = TestFolder.Create(_temporary.FullName);

        await TestFolder.SweepAsync(_temporary.FullName, Cancelled);

        Directory.Exists(folder.Path).ShouldBeTrue();
    }

    [Fact]
    public async Task A_sweep_removes_what_a_killed_process_left()
    {
        // As it is left: the lock's file is there, and nobody holds it.
        var left = Directory.CreateDirectory(Path.Combine(_temporary.FullName, "ovc-0badcafe"));
        await File.WriteAllTextAsync(Path.Combine(left.FullName, "lock"), "", Cancelled);
        Directory.CreateDirectory(Path.Combine(left.FullName, "data", "instances", "test-1"));

        await TestFolder.SweepAsync(_temporary.FullName, Cancelled);

        Directory.Exists(left.FullName).ShouldBeFalse();
    }

    [Fact]
    public async Task A_sweep_leaves_alone_what_is_not_locked_yet()
    {
        var young = Directory.CreateDirectory(Path.Combine(_temporary.FullName, "ovc-0badcafe"));

        await TestFolder.SweepAsync(_temporary.FullName, Cancelled);

        Directory.Exists(young.FullName).ShouldBeTrue();
    }
}

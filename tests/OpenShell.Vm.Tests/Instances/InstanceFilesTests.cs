using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

public sealed class InstanceFilesTests
{
    [Fact]
    public void Sockets_are_in_a_short_folder_of_their_own()
    {
        var files = Made.Files(new string('a', InstanceName.MaxLength));
        files.AgentSocket.ShouldStartWith("/run/user/1000/openshell-vm/");
        files.AgentSocket.Length.ShouldBeLessThanOrEqualTo(InstanceFiles.MaxSocketPath);
        files.StateDisk.ShouldStartWith("/data/instances/");
    }

    [Fact]
    public void Instances_of_one_name_in_two_data_folders_have_different_sockets()
    {
        var directories = new TestFolder().Directories;
        var one = InstanceFiles.For(directories with { Data = "/a" }, InstanceName.Parse("x"));
        var other = InstanceFiles.For(directories with { Data = "/b" }, InstanceName.Parse("x"));
        one.AgentSocket.ShouldNotBe(other.AgentSocket);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_refused_with_the_variable_to_set()
    {
        var directories = new HostDirectories { Data = "/d", Cache = "/c", OpenShellConfig = "/o", Kube = "/k", Runtime = "/" + new string('r', 90) };
        var fault = Should.Throw<FaultException>(() => InstanceFiles.For(directories, InstanceName.Parse("default"))).Faults[0];
        fault.Code.ShouldBe("instance.path-too-long");
        fault.Remedy.ShouldContain("XDG_RUNTIME_DIR");
    }

    [Fact]
    public void The_folders_are_private_and_linked()
    {
        using var folder = new TestFolder();
        var files = folder.Instance();
        new DirectoryInfo(files.RunLink).LinkTarget.ShouldBe(files.Run);
        File.GetUnixFileMode(files.Run).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.GetUnixFileMode(files.Root).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_folder_that_others_could_enter_is_closed()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Directories.Runtime);
        File.SetUnixFileMode(folder.Directories.Runtime, (UnixFileMode)0x1FF);
        folder.Instance();
        File.GetUnixFileMode(folder.Directories.Runtime).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_link_in_place_of_the_runtime_folder_is_refused()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.File("elsewhere"));
        File.CreateSymbolicLink(folder.Directories.Runtime, folder.File("elsewhere"));
        Should.Throw<FaultException>(() => folder.Instance()).Faults[0].Code.ShouldBe("host.folder-not-private");
    }
}

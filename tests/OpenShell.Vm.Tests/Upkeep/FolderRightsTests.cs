using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Upkeep;

namespace OpenShell.Vm.Tests.Upkeep;

public sealed class FolderRightsTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everybody = PrivateFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private FolderRights Rights => new(_folder.Directories);

    [Fact]
    public void Keys_that_others_can_read_are_found_and_closed()
    {
        var files = _folder.Instance();
        var key = Path.Combine(new GatewayRegistration(_folder.Directories, "default").MtlsFolder, "tls.key");
        var kubeconfig = Kubeconfig.PathFor(_folder.Directories, "default");
        foreach (var path in (string[])[key, kubeconfig, files.StateDisk])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "secret");
            File.SetUnixFileMode(path, Everybody);
        }

        File.SetUnixFileMode(_folder.Directories.Runtime, Private | UnixFileMode.GroupExecute);

        var found = Rights.Find();
        found.Select(f => f.Path).ShouldBe([key, kubeconfig, files.StateDisk, _folder.Directories.Runtime], ignoreOrder: true);
        found.ShouldAllBe(f => !f.Prevents);
        File.GetUnixFileMode(key).ShouldBe(Everybody, "looking changes nothing");

        foreach (var wrong in found)
            FolderRights.Mend(wrong);

        Rights.Find().ShouldBeEmpty();
        File.GetUnixFileMode(key).ShouldBe(PrivateFile);
        File.GetUnixFileMode(_folder.Directories.Runtime).ShouldBe(Private);
    }

    [Fact]
    public void Those_of_a_running_instance_are_only_told()
    {
        var files = _folder.Instance();
        File.WriteAllText(files.StateDisk, "");
        File.SetUnixFileMode(files.StateDisk, Everybody);
        using var held = InstanceLock.Acquire(files, "default");

        var found = Rights.Find().ShouldHaveSingleItem();

        found.Mode.ShouldBeNull();
        found.Remedy.ShouldBe($"Its instance runs, so it is left alone. You can do it: chmod 0600 {files.StateDisk}");
        FolderRights.Mend(found);
        File.GetUnixFileMode(files.StateDisk).ShouldBe(Everybody);
    }

    [Fact]
    public void A_link_is_not_followed()
    {
        var files = _folder.Instance();
        File.WriteAllText(_folder.File("elsewhere"), "");
        File.SetUnixFileMode(_folder.File("elsewhere"), Everybody);
        File.CreateSymbolicLink(files.StateDisk, _folder.File("elsewhere"));

        Rights.Find().ShouldBeEmpty();
        FolderRights.Mend(new WrongRights(files.StateDisk, "made up", Private, null, false));
        File.GetUnixFileMode(_folder.File("elsewhere")).ShouldBe(Everybody);
    }

    [Fact]
    public void A_folder_that_its_owner_has_shut_is_opened_again()
    {
        Directory.CreateDirectory(_folder.Directories.Cache);
        File.SetUnixFileMode(_folder.Directories.Cache, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var found = Rights.Find().ShouldHaveSingleItem();
        found.Path.ShouldBe(_folder.Directories.Cache);
        FolderRights.Mend(found);

        File.GetUnixFileMode(_folder.Directories.Cache).ShouldBe(Private);
    }

    [Fact]
    public void A_port_of_the_next_start_that_is_taken_is_told_with_its_holder()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        var config = new InstanceConfig { Name = "work", GatewayPort = port, Ports = [new PortForward { HostPort = 0, GuestPort = 80 }] };

        var finding = NextPorts.Of(config).ShouldHaveSingleItem();

        finding.IsFixed.ShouldBeTrue();
        finding.Fault.ShouldNotBeNull().What.ShouldContain($"(pid {Environment.ProcessId})");
        NextPorts.Of(config with { Network = "none" }).ShouldBeEmpty();
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Instances;
using OpenShell.Vm.LoginServices;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Uninstalling;

namespace OpenShell.Vm.Tests.Uninstalling;

public sealed class InventoryTests : IDisposable
{
    private const string Own = """
        clusters:
        - name: openshell-default
          cluster: {server: "https://127.0.0.1:1", certificate-authority-data: QQ==}
        users:
        - name: openshell-default
          user: {client-certificate-data: QQ==, client-key-data: QQ==}

        """;

    private readonly TestFolder _folder = new();
    private readonly HostDirectories _directories;

    public InventoryTests() => _directories = _folder.Directories with { Data = _folder.File("data") };

    private LoginService Services => new(_folder.Path, _folder.File("xdg"), launchd: false);

    private Inventory Inventory => new(_directories, Services, UserKubeconfig.For(_directories, null));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_that_was_made_is_shown_and_removed_and_nothing_else()
    {
        Write(_directories.Kube + "/config", "kind: Config\nclusters: []\n# mine\n");
        Write(_directories.Kube + "/gateway-mine.yaml", "kind: Config\n");
        Write(_directories.OpenShellConfig + "/gateways/elsewhere/metadata.json", """{"name": "elsewhere"}""");
        Write(_folder.File("xdg/systemd/user/mine.service"), "mine");
        var before = Everything();

        var files = InstanceFiles.For(_directories, InstanceName.Parse("default"));
        InstanceStore.CreateFolders(files);
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "default" });
        Write(files.StateDisk, new string('x', 10_000));
        Write(_directories.Cache + "/artifacts/root/a/root.img", "image");
        File.SetUnixFileMode(_directories.Cache + "/artifacts/root/a", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Kubeconfig.Write(Kubeconfig.PathFor(_directories, "default"), Own);
        Kubeconfig.Write(Kubeconfig.PathFor(_directories, "gone"), Own.Replace("default", "gone", StringComparison.Ordinal));
        UserKubeconfig.For(_directories, null).Merge("default", Own, use: false);
        new GatewayRegistration(_directories, "default").Write(30051, new GatewayCertificates([1], [2], [3]));
        new GatewayRegistration(_directories, "default").Activate();
        Services.Install(new ServiceDescription { Instance = "default", Command = ["/gateway"], Environment = [], Folder = "/folder" });

        var what = Inventory.All().Select(b => b.What).ToList();
        what.ShouldBe(
            [
                "service at login of default", "service at login of default", "context openshell-default, merged", "backup of a kubeconfig before a merge", "kubeconfig of default", "kubeconfig of gone",
                "certificates of openshell-vm-default", "instance default", "data folder", "sockets", "image cache",
            ],
            ignoreOrder: true);
        Inventory.All().Single(b => b.What == "instance default").Bytes.ShouldBeGreaterThanOrEqualTo(10_000);

        Inventory.Remove();

        Everything().ShouldBe(before);
        File.ReadAllText(_directories.Kube + "/config").ShouldContain("# mine");
        Inventory.All().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_runs_is_told_and_can_be_ended()
    {
        var files = InstanceFiles.For(_folder.Directories, InstanceName.Parse("default"));
        InstanceStore.CreateFolders(files);
        using var holder = Dummy.Start("hold-lock", _folder.Path, "default");
        (await holder.LineAsync()).ShouldBe("held");
        using var program = Process.Start("/bin/sleep", ["1000"]);
        var owner = ProcessIdentities.Of(program.Id).ShouldNotBeNull();
        PrivateFolder.Ensure(InstanceFiles.Ephemeral(_folder.Directories, $"{owner.Pid}-{owner.StartTime}-abc").Root);
        var inventory = new Inventory(_folder.Directories, Services, UserKubeconfig.None);

        inventory.Running().Select(r => r.Process.Pid).Order().ShouldBe(new[] { holder.Id, program.Id }.Order());
        await Inventory.EndAsync(inventory.Running(), TestContext.Current.CancellationToken);

        await program.WaitForExitAsync(TestContext.Current.CancellationToken);
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        inventory.Running().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bake_in_the_background_is_told_with_its_memory_and_both_can_be_ended()
    {
        var building = new GoldenStore(_directories).Building("0123456789ab");
        var bake = InstanceFiles.For(_directories with { Data = building + "/data" }, InstanceName.Parse("golden"));
        InstanceStore.CreateFolders(bake);
        var memory = new MemoryPlace(_directories.Cache).Make("0123456789ab", building, 1);
        var holder = Process.Start("/bin/sleep", ["1000"]);
        try
        {
            var identity = ProcessIdentities.Of(holder.Id).ShouldNotBeNull();
            File.WriteAllText(bake.Lock, System.Text.Json.JsonSerializer.Serialize(new LockHolder(identity, Guid.NewGuid()), InstanceJsonLines.Default.LockHolder));

            Inventory.Running().ShouldBe([new Holding("golden-0123456789ab", identity, IsInstance: false)]);
            if (!memory.StartsWith(building, StringComparison.Ordinal))
                Inventory.All().ShouldContain(b => b.Path == memory);

            await Inventory.EndAsync(Inventory.Running(), TestContext.Current.CancellationToken);
            Inventory.Running().ShouldBeEmpty();
            Inventory.Remove();
            File.Exists(memory).ShouldBeFalse();
        }
        finally
        {
            File.Delete(memory);
            holder.Kill();
            holder.Dispose();
        }
    }

    [Fact]
    public void What_works_on_an_instance_at_rest_is_told_and_is_no_instance_to_be_stopped()
    {
        var files = InstanceFiles.For(_directories, InstanceName.Parse("default"));
        InstanceStore.CreateFolders(files);
        using (InstanceLock.Acquire(files, "default", "disk compact"))
            Inventory.Running().ShouldBe([new Holding("default", ProcessIdentities.Current, IsInstance: false)]);
        using (InstanceLock.Acquire(files, "default"))
            Inventory.Running().ShouldBe([new Holding("default", ProcessIdentities.Current, IsInstance: true)]);
    }

    [Fact]
    public async Task Sockets_of_an_instance_of_another_data_folder_that_runs_are_told_and_stay_and_all_else_goes()
    {
        var own = InstanceFiles.For(_directories, InstanceName.Parse("default"));
        InstanceStore.CreateFolders(own);
        var other = InstanceFiles.For(_directories with { Data = _folder.File("other") }, InstanceName.Parse("default"));
        var gone = InstanceFiles.For(_directories with { Data = _folder.File("other") }, InstanceName.Parse("gone"));
        InstanceStore.CreateFolders(other);
        InstanceStore.CreateFolders(gone);
        using var listening = Listen(other.AgentSocket);
        using (Listen(own.AgentSocket))
            Inventory.UsedByOthers().ShouldBe([other.Run]);

        Inventory.Remove();

        File.Exists(other.AgentSocket).ShouldBeTrue();
        Directory.EnumerateDirectories(_directories.Runtime).ShouldBe([other.Run]);
        Directory.Exists(_directories.Data).ShouldBeFalse();
        listening.Dispose();

        // A program that another test is just starting has the descriptor too, until its exec.
        await Eventually.BeTrueAsync(() => Inventory.UsedByOthers().Count == 0, "nobody listens any more");
        Inventory.Remove();
        Directory.Exists(_directories.Runtime).ShouldBeFalse();
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private string[] Everything() => [.. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}

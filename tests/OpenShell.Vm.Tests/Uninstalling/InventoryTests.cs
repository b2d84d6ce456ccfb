using System.Diagnostics;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Instances;
using OpenShell.Vm.LoginServices;
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
        Services.Install(new ServiceDescription { Instance = "default", Command = ["/gateway"], Environment = [], Log = "/log" });

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

    private static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private string[] Everything() => [.. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
